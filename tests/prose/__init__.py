"""The prose check of `./dev lint`: counts sentences and words that hide their noun."""
