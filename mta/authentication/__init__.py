"""Who a mail really comes from: SPF, DKIM, DMARC, ARC and the header field that tells it (RFC 8601).

Every check is a plain function over bytes and a `look` that answers DNS questions from what is known. A question whose
answer is not known raises `NotKnownError`; `inquiry.py` asks the network and runs the check again. So nothing here
awaits, a check with a warm cache is one call, and the tests need no event loop.
"""
