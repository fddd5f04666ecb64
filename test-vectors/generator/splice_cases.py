"""Cases 320 to 322: the same signed bytes, cut at another place."""


def add_marked_splice(book):
    """`{t}.{body}`: a captured body that starts with digits and the mark, its start moved into the timestamp."""
    sender = book.sender
    mark = sender.mark
    body = f"1700000000{mark}5 is no JSON".encode()
    book.valid(
        320,
        "a body that starts like a timestamp",
        "Splice",
        sender.delivery(body),
        body,
        event_id=None if sender.body_id else "usual",
        event_type=None if sender.body_type else "usual",
    )
    tag_text = sender.tag(body).hex()
    ts = f"1700000000{mark}1700000000"
    spliced = sender.headers(sender.value(tag_text, ts=ts), ts=ts)
    book.invalid(
        321,
        "malformed_timestamp",
        "the start of a captured body moved into the timestamp: the signed bytes are the same",
        "Splice",
        spliced,
        body.split(mark.encode(), 1)[1],
    )


def add_unseparated_splice(book):
    """`{ts}{body}`: nothing marks where the timestamp ends, so only the window notices a moved digit."""
    sender = book.sender
    event = sender.event()
    digit_first = b"5" + event
    moved_in = sender.headers(sender.signature(digit_first), ts="17000000005")
    nothing_read = {"event_id": None if sender.body_id else "usual", "event_type": None if sender.body_type else "usual"}
    book.valid(320, "a body that starts with a digit", "Splice", sender.delivery(digit_first), digit_first, **nothing_read)
    book.invalid(
        321,
        "timestamp_too_new",
        "a digit moved from a captured body into the timestamp: the signed bytes are the same",
        "Splice",
        moved_in,
        event,
    )
    moved_out = sender.headers(sender.signature(event), ts="170000000")
    book.invalid(
        322,
        "timestamp_too_old",
        "a digit moved from a captured timestamp into the body: the signed bytes are the same",
        "Splice",
        moved_out,
        b"0" + event,
    )
