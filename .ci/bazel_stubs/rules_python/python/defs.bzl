"""The native rules, under the names that today's rules_python gives them."""

py_library = native.py_library
py_test = native.py_test
