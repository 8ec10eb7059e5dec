"""Which acts of others a reader is told of, on the dashboard and as they happen."""

from app.domain.acts import Act, Actor, Role, may

WALL = frozenset({Role.DEVICE})
"""What a wall display is, and nothing else: shown to whoever comes by, it names no person."""

_PEOPLE = frozenset(
    {
        Act.SIGN_IN,
        Act.SIGN_OUT,
        Act.MANAGE_OWN_FACTORS,
        Act.OPEN_CEREMONY,
        Act.READ_ACCOUNTS,
        Act.OPEN_ACCOUNT,
        Act.GRANT_ROLE,
        Act.REVOKE_ROLE,
        Act.RESET_FACTORS,
        Act.UNLOCK_ACCOUNT,
        Act.DEACTIVATE_ACCOUNT,
        Act.APPOINT_QUALITY_AUTHORITY,
        Act.SUPPORT_APPOINTMENT,
        Act.REVOKE_APPOINTMENT,
        Act.QUALIFY_PERSON,
        Act.ISSUE_BADGE,
        Act.REVOKE_BADGE,
    }
)
_AUDIT = frozenset({Act.READ_AUDIT, Act.VERIFY_AUDIT, Act.EXPORT_AUDIT, Act.REVEAL_IDENTITY})
_DONORS = frozenset(
    {
        Act.READ_DONOR,
        Act.REGISTER_DONOR,
        Act.RECORD_CONSENT,
        Act.WITHDRAW_CONSENT,
        Act.MATCH_IDENTITY,
        Act.RECORD_MARKER,
        Act.DETERMINE_ELIGIBILITY,
        Act.RECEIVE_DONATION,
    }
)


def acts_shown_to(actor: Actor) -> frozenset[Act]:
    """The acts that this reader is told of: those on people, on donors and on the audit belong to fewer."""
    hidden = (
        (frozenset() if may(actor, Act.READ_ACCOUNTS) else _PEOPLE)
        | (frozenset() if may(actor, Act.READ_AUDIT) else _AUDIT)
        | (frozenset() if may(actor, Act.READ_DONOR) else _DONORS)
    )
    return frozenset(Act) - hidden
