"""The shapes of bodies and answers, one noun a file. The OpenAPI document is made from them."""
