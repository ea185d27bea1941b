"""
Send HTTP requests to allowed places only, on behalf of code that is not trusted.

    config.py (what is allowed) ──► allowlist.py (is this?) ──► client.py ──► pool.py, exchange.py
                                                                  │             │
                                                      signing.py ◄┘             └► addresses.py
"""
