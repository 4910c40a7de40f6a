"""The tables of the sandbox's file, as data: each column is a name and what it holds.

Times are milliseconds since 1970 in sandbox time; minutes are hundredths, so that sums are exact.
"""

from __future__ import annotations

VERSION = 2
"""Version of the tables; a file of another version is not read."""
MARK = 0x54435342
"""What SQLite's application_id says of our files, so that no other file is ever reset."""

TABLES: dict[str, str] = {
    "meta": "name! value",
    "kinds": "kind! ordinal:int last_created_at:int",
    "clock": "id:int! real:int sandbox:int speed:float owner_pid:int?",
    # held and billed are the sums up to settled_at; what has ended since is found among the calls
    "accounts": "id! name allocated:int bonus:int held:int billed:int settled_at:int webhook_secret?",
    "keys": "digest! account_id name hint created_at:int scopes:json? revoked:bool",
    "sessions": "digest! account_id kind until:int",
    "hits": "who at:int",
    "idempotency": "account_id! key! method path body_digest status:int reply created_at:int",
    "calls": "id! account_id created_at:int ordinal:int phone_number from_number external_call_id script"
    " metadata:json key? outcome? campaign_id? lead_id? rings_at:int? answered_at:int? ends_at:int?"
    " done_at:int? held:int billed:int disposition? yours:bool",
    "interventions": "call_id! number:int! at:int kind words",
    "claims": "account_id! number!",
    # pending to minutes are kept as the campaign dials; wakes_at is when something next happens to it
    "campaigns": "id! account_id created_at:int name status from_number mode voice timezone"
    " conversion_outcomes:json webhook_events:json webhook_url? max_parallel_calls:int max_retries:int"
    " updated_at:int scheduled_at:int? started_at:int? completed_at:int? pending:int in_progress:int"
    " completed:int failed:int conversions:int minutes:int list_id plan:json wakes_at:int?",
    "contacts": "campaign_id! lead_id! position:int state attempts:int next_at:int call_id? ends_at:int?",
    "leads": "id! account_id created_at:int name phone_number status tags:json updated_at:int email? notes?"
    " metadata:json? converted_at:int?",
    "memberships": "list_id! lead_id! position:int",
    "carriers": "id! account_id? created_at:int voip_carrier_sid carrier_name sip_gateway_sid? trunk_type?"
    " sip_gateway:json? is_default:bool",
    "numbers": "id! account_id created_at:int number source phone_number_sid voip_carrier_sid carrier_name"
    " status label? updated_at:int ready_at:int deleted_at:int?",
    "subscriptions": "id! account_id created_at:int event url filters:json key_digest deleted_at:int?",
    # due_at is the next attempt's moment, leased_until the real time for which one process has the row
    "deliveries": "id! account_id created_at:int event url subject_id source body status due_at:int?"
    " leased_until:int",
    "attempts": "delivery_id! number:int! at:int status:int? error?",
    "faults": "account_id! id:int! route kind rhythm amount:float seconds:float seen:int struck:int",
}
"""`!` marks the primary key and `?` what may be missing; a column without a kind holds text."""

INDEXES: dict[str, tuple[str, ...]] = {
    "keys": ("account_id",),
    "hits": ("who at",),
    "calls": (
        "account_id created_at",
        "account_id ends_at",
        "account_id outcome created_at",
        "campaign_id created_at",
    ),
    "campaigns": ("account_id created_at", "wakes_at", "list_id"),
    "contacts": ("campaign_id state next_at position", "lead_id", "call_id"),
    "leads": ("account_id created_at", "account_id phone_number"),
    "memberships": ("lead_id",),
    "numbers": ("account_id created_at",),
    "subscriptions": ("account_id created_at",),
    "deliveries": ("status due_at", "account_id created_at", "subject_id"),
}
"""Columns, in order, by which rows are looked up; a row without the first of them is not looked up so."""
