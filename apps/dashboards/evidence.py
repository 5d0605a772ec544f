"""The sentences of evidence of ownership, here to be translated: they are written where they are found.

A test keeps this list and the code in step.
"""


def _(text: str) -> str:
    """Marks what people read, to be translated where it is shown."""
    return text


SENTENCES = (
    _("%(what)s %(key)s=%(value)s on %(agreeing)s of %(whole)s %(currency)s %(how)s the %(by)s of %(team)s"),
    _("%(what)s %(key)s=%(value)s on %(agreeing)s of %(whole)s %(currency)s names the %(by)s of %(team)s"),
    _("%(what)s %(key)s=%(value)s: elsewhere %(agreeing)s of %(whole)s %(currency)s that carry it belong to %(team)s"),
    _("The name %(value)s %(how)s the %(by)s of %(team)s"),
    _("Rule %(value)s gives namespaces called %(key)s to %(team)s, but did not match here"),
    _("Namespaces called %(value)s or %(value)s-… cost %(whole)s %(currency)s elsewhere; %(agreeing)s are of %(team)s"),
    _("On the same nodes %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"),
    _("In cluster %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"),
    _("In account %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"),
    _("In resource group %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"),
)
