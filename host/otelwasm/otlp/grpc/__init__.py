"""
gRPC over HTTP/2, as far as OTLP needs it: unary calls whose messages stay bytes.
"""
