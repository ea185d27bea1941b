class Receipt:
    rejected: int
    message: str
    def __init__(self, rejected: int, message: str) -> None: ...
