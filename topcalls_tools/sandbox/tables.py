"""The tables of the sandbox's file, as data: each column is a name and what it holds.

Times are milliseconds since 1970 in sandbox time; minutes are hundredths, so that sums are exact.
"""

from __future__ import annotations

VERSION = 1
"""Version of the tables; a file of another version is not read."""
MARK = 0x54435342
"""What SQLite's application_id says of our files, so that no other file is ever reset."""

TABLES: dict[str, str] = {
    "meta": "name! value",
    "kinds": "kind! ordinal:int last_created_at:int",
    "clock": "id:int! real:int sandbox:int speed:float owner_pid:int?",
    "accounts": "id! allocated:int bonus:int",
    "keys": "digest! account_id scopes:json? revoked:bool",
    "idempotency": "account_id! key! method path body_digest status:int reply created_at:int",
    "calls": "id! account_id created_at:int ordinal:int phone_number from_number external_call_id script"
    " metadata:json key? outcome? campaign_id? lead_id? rings_at:int? answered_at:int? ends_at:int?"
    " done_at:int? held:int billed:int",
    "interventions": "call_id! at:int! kind",
    "campaigns": "id! account_id created_at:int name status from_number mode voice timezone"
    " conversion_outcomes:json webhook_events:json webhook_url? max_parallel_calls:int max_retries:int"
    " updated_at:int scheduled_at:int? started_at:int? completed_at:int? pending:int in_progress:int"
    " completed:int failed:int conversions:int minutes:int",
    "carriers": "id! account_id? created_at:int voip_carrier_sid carrier_name sip_gateway_sid? trunk_type?"
    " sip_gateway:json? is_default:bool",
    "numbers": "id! account_id created_at:int number source phone_number_sid voip_carrier_sid carrier_name"
    " status label? updated_at:int ready_at:int deleted_at:int?",
}
"""`!` marks the primary key and `?` what may be missing; a column without a kind holds text."""

INDEXES: dict[str, tuple[str, ...]] = {
    "calls": ("created_at", "ends_at", "rings_at"),
    "campaigns": ("created_at",),
    "numbers": ("created_at",),
}
"""Columns by which an account's rows are looked up."""
