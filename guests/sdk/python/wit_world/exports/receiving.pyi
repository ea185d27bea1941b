class Message:
    peer: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
