"""SEARCH, SORT and THREAD behind their grammar: sets of messages, columns of a folder, the order and the trees made of them."""
