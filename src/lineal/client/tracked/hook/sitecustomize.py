"""Python runs this at the start of a tracked command, whichever Python it is: `lineal track` puts this folder first on PYTHONPATH.

It imports nothing of Lineal, which need not be installed there, and nothing that the program does not import itself. What
argparse and click read from the command line, and the traceback that ends the program, it writes as lines of JSON into the
folder LINEAL_TRACK. A fault of its own is dropped: the program must run as if this were not here."""

import os
import sys

_FOLDER = os.environ.get("LINEAL_TRACK", "")
_SAID = "LINEAL_TRACK_SAID"
_HERE = os.path.dirname(os.path.abspath(__file__))
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
_LAUNCHERS = ("torchrun", "accelerate", "accelerate-launch", "deepspeed", "horovodrun", "pytest", "coverage", "ipython")
_LAUNCHER_MODULES = ("torch/distributed/run.py", "torch/distributed/launch.py", "deepspeed/launcher/launch.py")
_TEXT_MAX_CHARS = 65_536
_MAX_DEPTH = 20

_is_parsing = False
_began_silent = bool(os.environ.get(_SAID))


# -- saying it ------------------------------------------------------------------------------------


def _say(line):
    """One line in the file of this process; a process that has said something speaks for those that it starts."""
    import json

    line = dict(line, pid=os.getpid(), program=os.path.basename(sys.argv[0] or "python"), is_launcher=_is_launcher())
    text = json.dumps(line, default=str)
    path = os.path.join(_FOLDER, "%d.jsonl" % os.getpid())
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        os.write(number, (text + "\n").encode("utf-8", "backslashreplace"))
    finally:
        os.close(number)


def _say_params(source, values):
    if _began_silent or _is_launcher():
        return
    for rank in _RANKS:
        if os.environ.get(rank, "0") not in ("", "0"):
            return
    params = {str(name): _plain(value, 0) for name, value in values.items() if not callable(value)}
    _say({"kind": "params", "source": source, "params": params})
    os.environ[_SAID] = "1"


def _is_launcher():
    program = (sys.argv[0] if getattr(sys, "argv", None) else "").replace("\\", "/")
    return os.path.basename(program) in _LAUNCHERS or program.endswith(_LAUNCHER_MODULES)


def _plain(value, depth):
    """What JSON has; a NaN stays one, as Python writes it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        kind = type(value)
        if kind in (bool, int, float, str, type(None)):
            return value
        inner = getattr(value, "value", None)  # an enum of these
        if type(inner) in (bool, int, float, str):
            return inner
        return str(value) if isinstance(value, str) else float(value) if isinstance(value, float) else int(value)
    if depth < _MAX_DEPTH:
        if isinstance(value, dict):
            return {str(key): _plain(one, depth + 1) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [_plain(one, depth + 1) for one in value]
        if isinstance(value, (set, frozenset)):
            return sorted(str(one) for one in value)
    inner = getattr(value, "value", None)
    if hasattr(type(value), "__members__") and type(inner) in (bool, int, float, str):
        return inner
    name = getattr(value, "name", None)
    if hasattr(value, "read") and isinstance(name, str):  # argparse.FileType
        return name
    return str(value)


# -- listening ------------------------------------------------------------------------------------


def _is_own(arguments):
    """Whether these came from this process's command line: all of it, or some in their order."""
    given = list(sys.argv[1:])
    if arguments is None:
        return True
    wanted = list(arguments)
    if not wanted:
        return not given
    rest = iter(given)
    return all(any(one == other for other in rest) for one in wanted)


def _hook_argparse(module):
    original = module.ArgumentParser.parse_known_args
    intermixed = getattr(module.ArgumentParser, "parse_known_intermixed_args", None)

    def listening(method):
        def parse(self, args=None, namespace=None):
            global _is_parsing
            if _is_parsing:  # a subparser, or a parser that a parser asks
                return method(self, args, namespace)
            _is_parsing = True
            try:
                found = method(self, args, namespace)
            finally:
                _is_parsing = False
            try:
                asker = sys._getframe(1)
                while asker is not None and asker.f_globals.get("__name__") in ("argparse", __name__):
                    asker = asker.f_back
                name = "" if asker is None else str(asker.f_globals.get("__name__", ""))
                if _is_own(args) and name.partition(".")[0] not in ("hydra", "IPython", "absl"):
                    _say_params("argparse", vars(found[0]))
            except Exception:
                pass
            return found

        parse.__name__, parse.__doc__ = method.__name__, method.__doc__
        parse.__qualname__ = getattr(method, "__qualname__", method.__name__)
        parse.__wrapped__ = method
        return parse

    module.ArgumentParser.parse_known_args = listening(original)
    if intermixed is not None:
        module.ArgumentParser.parse_known_intermixed_args = listening(intermixed)


def _hook_click(module):
    base = next(kind for kind in module.Command.__mro__ if "make_context" in vars(kind))
    make_context = base.make_context
    invoke = module.Command.invoke

    def listening_make_context(self, info_name, args, parent=None, **extra):
        try:
            given = list(args)
        except Exception:
            given = None
        context = make_context(self, info_name, args, parent=parent, **extra)
        try:
            if parent is None and given is not None and _is_own(given):
                context.meta["lineal.own"] = True
        except Exception:
            pass
        return context

    def listening_invoke(self, ctx):
        try:
            if ctx.meta.get("lineal.own") and ctx.params:
                _say_params("click", ctx.params)
        except Exception:
            pass
        return invoke(self, ctx)

    listening_make_context.__wrapped__, listening_invoke.__wrapped__ = make_context, invoke
    base.make_context, module.Command.invoke = listening_make_context, listening_invoke


_HOOKS = {"argparse": _hook_argparse, "click.core": _hook_click}


class _Finder:
    """Finds nothing itself: asks the others, and adds the hook to what they found."""

    def __init__(self):
        self._asking = False

    def find_spec(self, fullname, path=None, target=None):
        hook = _HOOKS.get(fullname)
        if hook is None or self._asking:
            return None
        self._asking = True
        try:
            spec = None
            for finder in sys.meta_path:
                find = None if finder is self else getattr(finder, "find_spec", None)
                spec = None if find is None else find(fullname, path, target)
                if spec is not None:
                    break
        finally:
            self._asking = False
        try:
            self._add(spec, hook)
        except Exception:
            pass
        return spec

    def _add(self, spec, hook):
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            try:
                hook(module)
            except Exception:
                pass

        spec.loader.exec_module = exec_module


def _excepthook(kind, error, traceback):
    try:
        if not issubclass(kind, KeyboardInterrupt):
            from traceback import format_exception

            _say({"kind": "error", "text": "".join(format_exception(kind, error, traceback))[-_TEXT_MAX_CHARS:]})
    except Exception:
        pass
    _earlier_excepthook(kind, error, traceback)


# -- the beginning --------------------------------------------------------------------------------


def _run_the_next():
    """The sitecustomize that Python would have run without this one."""
    own = sys.modules.pop("sitecustomize", None)
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or os.curdir) != _HERE]
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", None) != "sitecustomize":
            raise
        if own is not None:  # somebody may ask for it; it holds the hooks
            sys.modules["sitecustomize"] = own


def _listen():
    for name, hook in _HOOKS.items():
        if name in sys.modules:
            hook(sys.modules[name])
    sys.meta_path.insert(0, _Finder())


_earlier_excepthook = sys.excepthook
if _FOLDER and os.path.isdir(_FOLDER):
    try:
        _listen()
        sys.excepthook = _excepthook
    except Exception:
        pass
_run_the_next()
