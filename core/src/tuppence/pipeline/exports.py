"""Exports of other products: by which keys one is recognised, and the line that makes events of it.

Each program of jq turns one object of the export into one event. The objects come from the lines of a file,
from an array, or from the rows of a CSV file, whose columns are the keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

ROWS_TO_JSON: Final = (
    "python3 -c 'import csv, json, sys; csv.field_size_limit(10**9); "
    'rows = csv.DictReader(open(sys.argv[1], encoding="utf-8-sig", newline="")); '
    "[print(json.dumps(row)) for row in rows]' FILE | "
)
"""Prints the rows of a CSV file as JSON objects, one a line."""


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of export.

    Attributes:
        name: for people.
        keys: all of them are keys of its objects, or columns of its rows.
        program: of jq; makes an event of one object.

    """

    name: str
    keys: frozenset[str]
    program: str

    def command(self, objects: str = "") -> str:
        """Return the line that imports a file of JSON; `objects` makes jq reach each object."""
        return f"jq -c '{objects}{self.program}' FILE | tuppence import -"

    def csv_command(self) -> str:
        """Return the line that imports a file of CSV."""
        return f"{ROWS_TO_JSON}jq -c '{self.program}' | tuppence import -"


def recognise(keys: Iterable[str]) -> Export | None:
    """Return the export whose objects have these keys, if any."""
    present = set(keys)
    return next((export for export in EXPORTS if export.keys <= present), None)


def template(columns: Sequence[str]) -> str:
    """Return the line that imports rows of any CSV; its owner puts two of the columns in their places."""
    first, *_, last = [*columns, "TIME", "TEXT"] if len(columns) < 2 else columns  # noqa: PLR2004 - a pair
    program = f'{{type: "question", time: .[{_quoted(first)}], data: {{text: .[{_quoted(last)}]}}}}'
    return f"{ROWS_TO_JSON}jq -c '{program}' | tuppence import -"


def _quoted(name: str) -> str:
    """Return a column's name as a string of jq that may stand between a shell's single quotes."""
    return json.dumps(name).replace("'", "\\u0027")


_LANGFUSE: Final = (
    'def parsed: if type == "string" then (fromjson? // .) else . end; '
    "def question: parsed | (.messages? // .) "
    '| if type == "array" then (map(objects | select(.role == "user")) | last | .content) else . end '
    '| if type == "string" or . == null then . else tojson end; '
    "def number: (tonumber? // null); "
    '{id, type: "question", time: .timestamp, user: .userId, session: .sessionId, '
    "data: {text: (.input | question | .[:4000]), "
    'outcome: (if (.output // "") == "" then null else "answered" end), '
    "latency_ms: (.latency | number | if . then . * 1000 else . end), "
    "input_tokens: (.inputTokens | number), output_tokens: (.outputTokens | number)}}"
)
_POSTHOG: Final = (
    '(.properties | if type == "string" then fromjson else . end) as $p | select($p.question) '
    '| {id: .uuid, type: "question", time: .timestamp, user: .distinct_id, session: $p["$session_id"], '
    "data: {text: ($p.question | .[:4000])}}"
)
_CHATGPT: Final = (
    "(.conversation_id // .id) as $session | .mapping[].message "
    '| select(.author.role? == "user" and .create_time) '
    '| {id, type: "question", time: (.create_time | floor | todate), session: $session, '
    'data: {text: ([.content.parts[]? | strings] | join(" ") | .[:4000])}}'
)
_ZENDESK: Final = (
    '{id: (.id | tostring), type: "question", time: .created_at, user: (.requester_id | tostring), '
    "data: {text: (.description // .subject | .[:4000]), "
    'useful: ({"good": true, "bad": false}[.satisfaction_rating.score? // ""])}}'
)
_INTERCOM: Final = (
    '{id: .["Conversation ID"], type: "question", '
    'time: (.["Conversation started at (UTC)"] | sub(" "; "T") + "Z"), user: .["User ID"], source: .Channel, '
    'data: {text: (.["First message"] | .[:4000]), '
    "useful: (.CSAT | (tonumber? // 3) | if . == 3 then null else . > 3 end)}}"
)
_OPENAI: Final = (
    'select(.object == "chat.completion") | {id, type: "question", time: (.created | todate), '
    "data: {model, "
    'outcome: (if .choices[0].finish_reason == "content_filter" then "refused" else "answered" end), '
    "input_tokens: .usage.prompt_tokens, output_tokens: .usage.completion_tokens}}"
)
_SEGMENT: Final = (
    'select(.type == "track" and .properties.text) | {id: .messageId, type: "question", time: .timestamp, '
    "user: (.userId // .anonymousId), data: {text: (.properties.text | .[:4000])}}"
)
EXPORTS: Final = (
    Export(
        "an export of traces from Langfuse", frozenset({"timestamp", "input", "output", "userId"}), _LANGFUSE
    ),
    Export(
        "an export of events from PostHog",
        frozenset({"uuid", "event", "distinct_id", "timestamp", "properties"}),
        _POSTHOG,
    ),
    Export("an export of conversations from ChatGPT", frozenset({"mapping", "create_time"}), _CHATGPT),
    Export(
        "an export of tickets from Zendesk",
        frozenset({"id", "created_at", "subject", "description", "requester_id"}),
        _ZENDESK,
    ),
    Export(
        "an export of conversations from Intercom",
        frozenset({"Conversation ID", "Conversation started at (UTC)", "First message"}),
        _INTERCOM,
    ),
    Export(
        "a log of OpenAI's completions",
        frozenset({"id", "object", "created", "model", "choices", "usage"}),
        _OPENAI,
    ),
    Export(
        "an export of events from Segment",
        frozenset({"messageId", "timestamp", "type", "properties"}),
        _SEGMENT,
    ),
)

_LOG_LINE: Final = (
    r"^\\S+ \\S+ \\S+ \\[(?<day>\\d+)/(?<month>\\w+)/(?<year>\\d+):(?<clock>[\\d:]+) (?<offset>[+-]\\d+)\\] "
    r"\"(?<method>[A-Z]+) (?<route>[^ ?\"]+)[^\"]*\" (?<status>\\d+)"
)
ACCESS_LOG: Final = (
    'jq -Rc \'{"Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06", "Jul": "07", '
    '"Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12"} as $months '
    f'| (capture("{_LOG_LINE}") '
    '| {type: "request", time: "\\(.year)-\\($months[.month])-\\(.day)T\\(.clock)\\(.offset)", '
    "data: {method, route: .route[:200], status: (.status | tonumber)}}) // {}' FILE | tuppence import -"
)
"""Imports a web server's log in the common or combined format; another line becomes `{}`, and is refused."""
