class Request:
    def __init__(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, timeout_ms: int
    ) -> None: ...

class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

class Error_Refused:
    value: str

class Error_Timeout: ...

class Error_Failed:
    value: str

def send(request: Request) -> Response: ...
