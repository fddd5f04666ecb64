"""Cases 100 to 199: how old, how new, and how a time may be written."""

from .document import NOW
from .senders import rfc3339, time_text

# Text that must be refused although the signature over it is right: (number, text, comment).
MALFORMED_SECONDS = [
    (110, "+1700000000", "a plus sign"),
    (111, "-1700000000", "a minus sign"),
    (112, "01700000000", "a leading zero"),
    (113, "1700 000000", "a space inside"),
    (114, "0x6553f100", "hexadecimal"),
    (115, "1700000000.0", "a fraction"),
    (116, "1.7e9", "an exponent"),
    (117, "NaN", "not a number"),
    (118, "inf", "infinity"),
    (119, "17\u00ef\u00bc\u009000000000", "a full-width digit, as UTF-8 bytes"),
    (120, "17000000000000000000", "20 digits"),
    (121, "-9223372036854775808", "the smallest signed 64-bit number"),
    (122, "9223372036854775807", "the largest signed 64-bit number"),
    (123, "18446744073709551615", "the largest unsigned 64-bit number"),
    (124, "1700000000000", "milliseconds"),
    (125, "2023-11-14T22:13:20Z", "a date"),
    (126, "0", "zero"),
    (127, "-0", "minus zero"),
    (128, "1_700_000_000", "digit separators"),
    (129, "", "no text at all"),
]
SPACED_SECONDS = [(130, " 1700000000", "a space before"), (131, "1700000000 ", "a space after")]


def add_time_cases(book):
    if book.sender.event_time:
        add_event_time(book)
    elif book.sender.timestamp and book.sender.syntax != "token":
        add_signed_timestamp(book)


def add_signed_timestamp(book):
    sender = book.sender
    event = sender.event()
    past, future = sender.past, sender.future

    def at(offset):
        return sender.delivery(event, ts=sender.at(offset))

    book.valid(100, f"{past} s old: the edge is inside", "Window", at(-past), event, timestamp=NOW - past)
    book.invalid(101, "timestamp_too_old", f"{past + 1} s old", "Window", at(-past - 1), event)
    book.valid(102, f"{future} s ahead: the edge is inside", "Window", at(future), event, timestamp=NOW + future)
    book.invalid(103, "timestamp_too_new", f"{future + 1} s ahead", "Window", at(future + 1), event)
    book.invalid(104, "timestamp_too_new", "far ahead", "Window", at(1_000_000), event)
    old = sender.at(-max(1000, past + 1))
    stale = sender.headers(sender.value(sender.encode(bytes(sender.tag_length)), ts=old), ts=old)
    book.invalid(107, "timestamp_too_old", "rule 6 comes before the wrong signature", "Window RuleOrder", stale, event)
    SIGNED_FORMS[sender.timestamp_form](book, event)
    if sender.timestamp_header:
        add_timestamp_header(book, event)
    add_tolerances(book, event, at)


def add_signed_seconds(book, event):
    sender = book.sender
    largest, smallest = (sender.delivery(event, ts=text) for text in ("999999999999", "1"))
    book.invalid(105, "timestamp_too_new", "the largest number of 12 digits", "Window", largest, event)
    book.invalid(106, "timestamp_too_old", "the smallest number", "Window", smallest, event)
    for number, text, comment in MALFORMED_SECONDS + (SPACED_SECONDS if sender.syntax == "list" else []):
        # A list carries the timestamp inside the signature header, which must be ASCII as a whole.
        in_signature = sender.syntax == "list" and not text.isascii()
        reason = "malformed_header" if in_signature else "malformed_timestamp"
        book.invalid(number, reason, comment, "TimestampForm", sender.delivery(event, ts=text), event)


def add_signed_milliseconds(book, event):
    sender = book.sender
    past, future = sender.past, sender.future

    def invalid(number, reason, text, comment, flags="Window"):
        book.invalid(number, reason, comment, flags, sender.delivery(event, ts=text), event)

    invalid(105, "timestamp_too_new", "999999999999999", "the largest number of 15 digits")
    invalid(124, "timestamp_too_old", "1700000000", "seconds where milliseconds belong", "Window TimestampForm")
    invalid(168, "timestamp_too_new", sender.at(future, 1), "one millisecond past the edge ahead")
    invalid(169, "timestamp_too_old", sender.at(-past, -1), "one millisecond past the oldest edge")
    for number, text, comment in MALFORMED_SECONDS:
        if number != 124:
            invalid(number, "malformed_timestamp", text, comment, "TimestampForm")
    invalid(132, "malformed_timestamp", "1700000000000000", "16 digits, as microseconds have", "TimestampForm")


def add_signed_rfc3339(book, event):
    sender = book.sender

    def valid(number, text, timestamp, comment, flags, **rest):
        book.valid(number, comment, flags, sender.delivery(event, ts=text), event, timestamp=timestamp, **rest)

    def invalid(number, text, reason, comment, flags):
        book.invalid(number, reason, comment, flags, sender.delivery(event, ts=text), event)

    add_rfc3339_forms(valid, invalid, sender.past, sender.future)
    invalid(110, "1700000000", "malformed_timestamp", "Unix seconds where a date belongs", "TimestampForm")
    invalid(129, "", "malformed_timestamp", "no text at all", "TimestampForm")


SIGNED_FORMS = {"seconds": add_signed_seconds, "milliseconds": add_signed_milliseconds, "rfc3339": add_signed_rfc3339}


def add_timestamp_header(book, event):
    sender = book.sender
    signature = sender.signature(event)
    book.invalid(140, "missing_timestamp", "no timestamp header", "MissingHeader", sender.headers(signature, ts=None), event)
    book.invalid(
        141,
        "signature_mismatch",
        "another timestamp, inside the window, on a captured delivery",
        "ModifiedTimestamp",
        sender.headers(signature, ts=sender.at(1)),
        event,
    )
    swapped = [(name, sender.now_text if name == sender.timestamp_header else value) for name, value in sender.headers(signature)]
    swapped.append((sender.timestamp_header.lower(), sender.at(-1)))
    book.invalid(142, "duplicate_header", "two timestamps, in two letter cases", "DuplicateHeader HeaderCase", swapped, event)
    book.invalid(
        143, "malformed_header", "rule 4 comes before the missing timestamp", "RuleOrder", sender.headers("null", ts=None), event
    )


def add_tolerances(book, event, at):
    narrow, wide = {"tolerance_seconds": 60}, {"tolerance_seconds": 600}
    book.valid(144, "a tolerance of 60 s: the edge", "Tolerance Window", at(-60), event, timestamp=NOW - 60, options=narrow)
    book.invalid(
        145, "timestamp_too_old", "a tolerance of 60 s: one second past it", "Tolerance Window", at(-61), event, options=narrow
    )
    book.invalid(
        146, "timestamp_too_new", "a tolerance of 60 s: one second before it", "Tolerance Window", at(61), event, options=narrow
    )
    book.valid(147, "a tolerance of 600 s: the edge ahead", "Tolerance Window", at(600), event, timestamp=NOW + 600, options=wide)
    book.invalid(
        148, "timestamp_too_old", "a tolerance of 600 s: one second past it", "Tolerance Window", at(-601), event, options=wide
    )


# ------------------------------------------------------------------------------------------- event time


class EventTimes:
    """Writes cases whose event holds a given time, as raw JSON."""

    def __init__(self, book):
        self.book, self.sender = book, book.sender

    def valid(self, number, raw, timestamp, comment, flags, **rest):
        body = self.sender.event(**{self.sender.event_time: raw})
        self.book.valid(number, comment, "EventTime " + flags, self.sender.delivery(body), body, timestamp=timestamp, **rest)

    def invalid(self, number, raw, reason, comment, flags, **rest):
        body = self.sender.event(**{self.sender.event_time: raw})
        self.invalid_body(number, body, reason, comment, flags, **rest)

    def invalid_body(self, number, body, reason, comment, flags, **rest):
        self.book.invalid(number, reason, comment, "EventTime " + flags, self.sender.delivery(body), body, **rest)


def add_event_time(book):
    times = EventTimes(book)
    add_event_time_windows(times)
    add_absent_event_time(times)
    add_unreadable_bodies(times)
    if "milliseconds" in times.sender.event_time_forms:
        add_millisecond_forms(times)
    elif "seconds" in times.sender.event_time_forms:
        add_unix_forms(times)
    else:
        times.invalid(110, "1700000000", "malformed_timestamp", "Unix seconds where a date belongs", "TimestampForm")
        times.invalid(111, '"1700000000"', "malformed_timestamp", "Unix seconds as text where a date belongs", "TimestampForm")
    if "rfc3339" in times.sender.event_time_forms:
        add_event_dates(times)
    else:
        units = "milliseconds" if "milliseconds" in times.sender.event_time_forms else "seconds"
        times.invalid(160, '"2023-11-14T22:13:20Z"', "malformed_timestamp", f"a date where Unix {units} belong", "TimestampForm")
    event = book.sender.event(**{book.sender.event_time: at(book.sender, -10_000_000)})
    book.invalid(
        107,
        "signature_mismatch",
        "rule 7 comes before the old event time",
        "EventTime RuleOrder",
        book.sender.delivery(book.sender.event()),
        event,
    )


def at(sender, offset):
    """The time NOW + offset as the raw JSON that this sender writes."""
    form = sender.event_time_forms[0]
    text = time_text(form, offset)
    return f'"{text}"' if form == "rfc3339" else text


def add_event_time_windows(times):
    sender, past = times.sender, times.sender.past
    times.valid(100, at(sender, -past), NOW - past, f"{past} s old: the edge is inside", "Window")
    times.invalid(101, at(sender, -past - 1), "timestamp_too_old", f"{past + 1} s old", "Window")
    ahead = sender.future
    times.valid(102, at(sender, ahead), NOW + ahead, f"{ahead} s ahead: the edge is inside", "Window")
    times.invalid(103, at(sender, ahead + 1), "timestamp_too_new", f"{ahead + 1} s ahead", "Window")
    times.invalid(104, at(sender, 1_000_000), "timestamp_too_new", "far ahead", "Window")
    if past > 3600:
        times.valid(105, at(sender, -3600), NOW - 3600, "an hour old, as a retry is", "Window")
    narrow = {"tolerance_seconds": 60}
    times.valid(144, at(sender, -60), NOW - 60, "a tolerance of 60 s: the edge", "Tolerance Window", options=narrow)
    times.invalid(
        145, at(sender, -61), "timestamp_too_old", "a tolerance of 60 s: one second past it", "Tolerance Window", options=narrow
    )
    times.invalid(
        146, at(sender, 61), "timestamp_too_new", "a tolerance of 60 s: one second before it", "Tolerance Window", options=narrow
    )


def add_absent_event_time(times):
    sender = times.sender
    name = sender.event_time
    absent = [(150, None, "the event time is absent"), (151, "null", "the event time is null")]
    for number, raw, comment in absent:
        if sender.name == "klozeo-guide":
            times.valid(number, raw, None, comment + ": this scheme allows that", "Plain")
        else:
            times.invalid(number, raw, "missing_timestamp", comment, "TimestampForm")
    if sender.name != "klozeo-guide":
        nested = sender.event(extra=f',"meta":{{"{name}":{at(sender, 0)}}}', **{name: None})
        times.invalid_body(152, nested, "missing_timestamp", "the name occurs only further inside", "TimestampForm")
        times.invalid_body(153, b"[1700000000]", "missing_timestamp", "a document that is no object", "TimestampForm")
    others = [
        (154, "true", "true"),
        (155, "{}", "an object"),
        (156, "[1700000000]", "a list"),
        (157, '""', "an empty string"),
        (158, "1700000000.5", "a fraction"),
    ]
    for number, raw, comment in others:
        times.invalid(number, raw, "malformed_timestamp", f"the event time is {comment}", "TimestampForm")


def add_unreadable_bodies(times):
    sender = times.sender
    name, now, event = sender.event_time, at(sender, 0), sender.event()
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    cases = [
        (190, sender.event(extra=f',"{name}":{at(sender, -5)}'), "the event time occurs twice"),
        (191, sender.event(extra=f',"{name}":{now}'), "the event time occurs twice with one value"),
        (192, sender.event(extra=f',"{escaped}":{now}'), "the event time occurs twice, its name escaped once"),
        (193, event + b"x", "more text after the document"),
        (194, event + event, "two documents"),
        (195, event[:-1], "the last brace is missing"),
        (196, event[:-1] + b",}", "a comma before the last brace"),
        (197, event.replace(b'"', b"'"), "single quotes"),
        (198, sender.event(extra=',"score":NaN'), "a number that JSON does not have"),
        (199, sender.event(extra=',"note":"a\nb"'), "a line break inside a string"),
    ]
    for number, body, comment in cases:
        times.invalid_body(number, body, "malformed_body", comment, "RawBody")


def add_unix_forms(times):
    times.valid(108, '"1700000000"', NOW, "Unix seconds as text", "TimestampForm")
    texts = [(129, "", "no text at all"), (119, "17\uff1000000000", "a full-width digit")]
    texts += [case for case in MALFORMED_SECONDS if case[0] not in (119, 125, 129)] + SPACED_SECONDS
    for number, text, comment in sorted(texts):
        times.invalid(number, f'"{text}"', "malformed_timestamp", f"text: {comment}", "TimestampForm")
    numbers = [
        (132, "-1700000000", "a negative number"),
        (133, "0", "zero"),
        (134, "1700000000.0", "a fraction of zero"),
        (135, "1.7e9", "an exponent"),
        (136, "1700000000000", "milliseconds"),
        (137, "-9223372036854775808", "the smallest signed 64-bit number"),
        (138, "18446744073709551615", "the largest unsigned 64-bit number"),
        (139, "17000000000000000000", "20 digits"),
    ]
    for number, raw, comment in numbers:
        times.invalid(number, raw, "malformed_timestamp", f"number: {comment}", "TimestampForm")
    for number, raw, comment in (
        (140, "01700000000", "a leading zero"),
        (141, "+1700000000", "a plus sign"),
        (142, "0x6553f100", "hexadecimal"),
    ):
        times.invalid(number, raw, "malformed_body", f"number: {comment}, which is not JSON", "TimestampForm RawBody")


def add_millisecond_forms(times):
    past, ahead = times.sender.past, times.sender.future
    old, new = time_text("milliseconds", -past, -1), time_text("milliseconds", ahead, 1)
    times.valid(108, '"1700000000000"', NOW, "milliseconds as text", "TimestampForm")
    times.valid(109, "1700000000999", NOW, "999 ms later: rounded down", "TimestampForm")
    times.invalid(124, "1700000000", "timestamp_too_old", "seconds where milliseconds belong", "TimestampForm Window")
    times.invalid(168, new, "timestamp_too_new", "one millisecond past the edge ahead", "Window")
    times.invalid(169, old, "timestamp_too_old", "one millisecond past the oldest edge", "Window")
    for number, raw, comment in (
        (132, "-1700000000000", "a negative number"),
        (133, "0", "zero"),
        (134, "1700000000000.0", "a fraction of zero"),
        (135, "1.7e12", "an exponent"),
        (136, "1700000000000000", "microseconds"),
    ):
        times.invalid(number, raw, "malformed_timestamp", f"number: {comment}", "TimestampForm")


def add_event_dates(times):
    def valid(number, text, timestamp, comment, flags, **rest):
        times.valid(number, f'"{text}"', timestamp, comment, flags, **rest)

    def invalid(number, text, reason, comment, flags):
        times.invalid(number, f'"{text}"', reason, comment, flags)

    add_rfc3339_forms(valid, invalid, times.sender.past, times.sender.future)
    invalid(188, " 2023-11-14T22:13:20Z", "malformed_timestamp", "a space before", "TimestampForm")


def add_rfc3339_forms(add_valid, add_invalid, past, future):
    oldest, newest = rfc3339(NOW - past)[:-1], rfc3339(NOW + future)[:-1]
    valid = [
        (160, "2023-11-14T22:13:20Z", NOW, "UTC"),
        (161, "2023-11-15T00:13:20+02:00", NOW, "an offset that crosses midnight"),
        (162, "2023-11-14T12:43:20-09:30", NOW, "a negative offset with minutes"),
        (163, "2023-11-14T22:13:20+00:00", NOW, "an offset of zero"),
        (164, "2023-11-14T22:13:20-00:00", NOW, "an unknown offset"),
        (165, "2023-11-14T22:13:20.5Z", NOW, "one digit of fraction"),
        (166, "2023-11-14T22:13:20.123456789Z", NOW, "nine digits of fraction"),
        (167, f"{newest}.000Z", NOW + future, "the edge ahead to the millisecond"),
    ]
    for number, text, timestamp, comment in valid:
        add_valid(number, text, timestamp, comment, "TimestampForm")
    add_invalid(168, f"{newest}.001Z", "timestamp_too_new", "one millisecond past the edge ahead", "Window")
    older = rfc3339(NOW - past - 1)[:-1]
    add_invalid(169, f"{older}.999Z", "timestamp_too_old", "one millisecond past the oldest edge", "Window")
    add_valid(170, f"{oldest}.001Z", NOW - past, "one millisecond inside the oldest edge", "Window")
    add_valid(171, "2016-12-31T23:59:60Z", 1483228800, "a leap second", "TimestampForm", now=1483228800)
    add_valid(172, "2024-02-29T12:00:00Z", 1709208000, "29 February of a leap year", "TimestampForm", now=1709208000)
    malformed = [
        (173, "2023-02-29T12:00:00Z", "29 February of another year"),
        (174, "2023-11-31T22:13:20Z", "31 November"),
        (175, "2023-13-14T22:13:20Z", "month 13"),
        (176, "2023-11-00T22:13:20Z", "day 0"),
        (177, "2023-11-14T24:00:00Z", "hour 24"),
        (178, "2023-11-14T22:60:20Z", "minute 60"),
        (179, "2023-11-14T22:13:61Z", "second 61"),
        (180, "2023-11-14 22:13:20Z", "a space for the T"),
        (181, "2023-11-14t22:13:20z", "lower case"),
        (182, "2023-11-14T22:13:20", "no offset"),
        (183, "2023-11-14T22:13:20+0000", "an offset without colon"),
        (184, "2023-11-14T22:13:20.Z", "a point without digits"),
        (185, "2023-11-14T22:13:20.1234567890Z", "ten digits of fraction"),
        (186, "2023-11-14T22:13:20,5Z", "a comma for the point"),
        (187, "2023-11-14T22:13:20+24:00", "an offset of 24 hours"),
        (189, "Tue, 14 Nov 2023 22:13:20 GMT", "a date of another standard"),
    ]
    for number, text, comment in malformed:
        add_invalid(number, text, "malformed_timestamp", comment, "TimestampForm")
