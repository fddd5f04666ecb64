"""Cases from 300 of HTTP message signatures."""

from .message_header_cases import add_message_headers


def add_message_signatures(book):
    add_message_headers(book)


MESSAGE_CASES = {"http-message-signatures": add_message_signatures}
