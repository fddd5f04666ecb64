"""Cases from 300 of HTTP message signatures."""

from .message_component_cases import add_message_components
from .message_header_cases import add_message_headers
from .message_key_cases import add_message_keys
from .message_stage_cases import add_message_stages


def add_message_signatures(book):
    add_message_headers(book)
    add_message_stages(book)
    add_message_components(book)
    add_message_keys(book)


MESSAGE_CASES = {"http-message-signatures": add_message_signatures}
