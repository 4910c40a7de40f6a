"""Phone numbers and the carriers that carry their calls."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, model_validator

from ..action import Arguments, Effect, Record
from ..endpoint import Deleted, Done, Endpoint
from ..errors import NotFound
from .campaigns import ListCampaigns
from .fields import WHOLE, CarrierId, Handle, Page, Paged, PhoneNumber, PhoneNumberId, Secret, Truth

NumberStatus = Literal["active", "inactive", "pending", "failed", "deleted"]
NumberSource = Literal["topcalls", "byoc", "manual", "import", "twilio"]
TrunkType = Literal["static_ip", "auth", "reg"]


class CarrierFacts(Record):
    """What every reply says of a carrier."""

    id: str
    """Record id: what delete_carrier takes."""
    account_id: str | None = None
    """Account that brought it; absent for TopCalls' own."""
    voip_carrier_sid: str | None = None
    """Telephone system's id: what add_phone_number takes. Not the record id."""
    sip_gateway_sid: str | None = None
    """Id of its SIP gateway."""
    carrier_name: str | None = None
    """Its name."""
    trunk_type: TrunkType | str | None = None
    """How it and TopCalls know each other."""
    created_at: str | None = None
    """When it was added, ISO 8601 UTC."""


class Carrier(CarrierFacts):
    """A carrier: TopCalls' own, or one that the account brought."""

    is_default: bool | None = None
    """True for the carrier that numbers get when none is named."""


class CarrierPage(Page[Carrier]):
    """All carriers."""


class CarrierAdded(CarrierFacts, Done):
    """A carrier that was added."""


class NumberFacts(Record):
    """What every reply says of a phone number."""

    id: str
    """Handle of the number."""
    account_id: str | None = None
    """Account that holds it."""
    number: str | None = None
    """The number, international."""
    source: NumberSource | str | None = None
    """Where it came from: topcalls, or byoc on a carrier of the account's own."""
    status: NumberStatus | str | None = None
    """Where it stands; only an active number can be a caller id."""
    phone_number_sid: str | None = None
    """Its id in the telephone system."""
    voip_carrier_sid: str | None = None
    """Telephone system's id of its carrier."""
    carrier_name: str | None = None
    """Name of its carrier."""
    label: str | None = None
    """The account's own name for it."""
    created_at: str | None = None
    """When it was added, ISO 8601 UTC."""


class Number(NumberFacts):
    """A phone number of the account."""

    error_message: str | None = None
    """Why provisioning failed."""
    created_by_user_id: str | None = None
    """Who added it; absent when an API key did."""
    updated_at: str | None = None
    """When it last changed, ISO 8601 UTC."""


class NumberPage(Page[Number]):
    """Phone numbers, newest first."""


class NumberAdded(NumberFacts, Done):
    """A phone number that was added."""


class SipGateway(Arguments):
    """The carrier's SIP end."""

    ipv4: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.-]+$")]
    """IPv4 address; a host name only when inbound is false."""
    port: Annotated[int, Strict(), Field(ge=1, le=65535), WHOLE] = 5060
    """Port, 1 to 65535. Default 5060."""
    inbound: Truth = False
    """Whether calls come in from it. Default false."""
    outbound: Truth = True
    """Whether calls go out through it. Default true; at least one of the two."""

    @model_validator(mode="after")
    def _reachable(self) -> SipGateway:
        if not (self.inbound or self.outbound):
            raise ValueError("needs inbound or outbound; set one of them to true")
        if self.inbound and not _is_ipv4(self.ipv4):
            raise ValueError(
                "with inbound needs an IPv4 address in ipv4, such as 203.0.113.10, because calls are "
                "matched by it"
            )
        return self


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


class InboundAuth(Arguments):
    """Credentials with which the carrier signs in to TopCalls."""

    username: Annotated[str, Field(min_length=1, max_length=100)]
    """User name, 1 to 100 characters."""
    password: Secret
    """Password, 1 to 100 characters."""


class Registration(Arguments):
    """Credentials with which TopCalls registers with the carrier."""

    username: Annotated[str, Field(min_length=1, max_length=100)]
    """User name."""
    password: Secret
    """Password."""
    realm: Annotated[str, Field(min_length=1, max_length=253)]
    """SIP realm, such as sip.example.com."""


class ListCarriers(
    Endpoint[CarrierPage],
    route="GET /v1/phone-numbers/carriers",
    effect=Effect.READ,
    scope="phone_numbers:read",
):
    """List all carriers: TopCalls' own and those that the account brought. Each has two ids: id deletes it,
    voip_carrier_sid goes into add_phone_number."""


class ListPhoneNumbers(
    Paged[NumberPage], route="GET /v1/phone-numbers", effect=Effect.READ, scope="phone_numbers:read"
):
    """List the account's phone numbers, newest first, without deleted ones. An active one can be
    from_number in place_call."""

    status: Literal["active", "inactive", "pending", "failed"] | None = None
    """Only numbers that stand so."""


class GetPhoneNumber(
    Endpoint[Number],
    route="GET /v1/phone-numbers/{phone_number_id}",
    effect=Effect.READ,
    scope="phone_numbers:read",
):
    """Look up one phone number by its handle. Tells status, carrier, and why provisioning failed if it
    did; list_phone_numbers shows all."""

    phone_number_id: PhoneNumberId
    """Handle from list_phone_numbers; not the number itself."""


class AddCarrier(
    Endpoint[CarrierAdded],
    route="POST /v1/phone-numbers/carriers",
    effect=Effect.WRITE,
    scope="phone_numbers:write",
    creates=True,
):
    """Connect a SIP carrier of your own. Numbers that you hold there can then call: add_phone_number puts
    them on it. A person is asked first; uses no minutes."""

    carrier_name: Annotated[str, Field(min_length=1, max_length=100)]
    """Name for it, 1 to 100 characters."""
    sip_gateway: SipGateway
    """The carrier's SIP end."""
    trunk_type: TrunkType = "static_ip"
    """static_ip: the carrier allows TopCalls' address; auth: it signs in; reg: TopCalls registers there."""
    inbound_auth: InboundAuth | None = None
    """Credentials; needed with trunk_type auth."""
    registration: Registration | None = None
    """Credentials; needed with trunk_type reg."""

    @model_validator(mode="after")
    def _credentials(self) -> AddCarrier:
        if self.trunk_type == "auth" and self.inbound_auth is None:
            raise ValueError("inbound_auth is missing; trunk_type auth needs its username and password")
        if self.trunk_type == "reg" and self.registration is None:
            raise ValueError("registration is missing; trunk_type reg needs its username, password and realm")
        return self

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.carrier_name


class AddPhoneNumber(
    Endpoint[NumberAdded],
    route="POST /v1/phone-numbers",
    effect=Effect.WRITE,
    scope="phone_numbers:write",
    creates=True,
):
    """Register a phone number that you already hold. Calls can then come from it. Buys nothing and uses no
    minutes. A person is asked first."""

    number: PhoneNumber
    """The number, international, such as +14155550123."""
    voip_carrier_sid: Handle | None = None
    """voip_carrier_sid (not id) of its carrier from list_carriers. Default: the account's, else TopCalls'."""
    label: Annotated[str, Field(max_length=100)] | None = None
    """Your own name for it, at most 100 characters."""

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.number


class DeleteCarrier(
    Endpoint[Deleted],
    route="DELETE /v1/phone-numbers/carriers/{carrier_id}",
    effect=Effect.DELETE,
    scope="phone_numbers:write",
):
    """Remove a carrier that you brought, at once and for good. Its SIP gateway goes with it. Refused while
    numbers use it, and for TopCalls' own. A person is asked first."""

    carrier_id: CarrierId
    """id (not voip_carrier_sid) of the carrier from list_carriers."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return ListCarriers(), ListPhoneNumbers(limit=200)

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        carriers: CarrierPage = seen[0]
        numbers: NumberPage = seen[1]
        carrier = next((one for one in carriers.data if one.id == self.carrier_id), None)
        if carrier is None:
            raise NotFound(
                f"No carrier has the id {self.carrier_id}; list_carriers calls it id, not voip_carrier_sid.",
                404,
            )
        users = [one.number for one in numbers.data if one.voip_carrier_sid == carrier.voip_carrier_sid]
        return {"name": carrier.carrier_name, "numbers that use it": ", ".join(filter(None, users)) or "none"}


class DeletePhoneNumber(
    Endpoint[Deleted],
    route="DELETE /v1/phone-numbers/{phone_number_id}",
    effect=Effect.DELETE,
    scope="phone_numbers:write",
):
    """Remove a phone number from the account. Calls under way end normally; campaigns that call from it
    fail. A person is asked first."""

    phone_number_id: PhoneNumberId
    """Handle from list_phone_numbers; not the number itself."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return GetPhoneNumber(phone_number_id=self.phone_number_id), ListCampaigns(limit=200)

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        number: Number = seen[0]
        return {
            "name": number.number,
            "label": number.label,
            "status": number.status,
            "carrier": number.carrier_name,
        }
