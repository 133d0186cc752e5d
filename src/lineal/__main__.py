"""`python -m lineal`: the command line of the very Python that is called, whatever PATH says."""

from lineal.cli.main import main

if __name__ == "__main__":
    main()
