"""Why a site's answer is not the one that was asked for."""


class WebError(Exception):
    """The message is one line for a person. reason: a code of stage.REASONS."""

    reason = "not_collected"


class NotCollected(WebError):
    """The archive holds no answer yet."""


class NotServed(WebError):
    """The site has no such page, or one that cannot be taken; others may still be served."""


class SourceDown(WebError):
    """No answer after every retry."""


class Blocked(WebError):
    """The page wants a login; others may not."""

    reason = "blocked"


class Refused(Blocked):
    """The site refuses this program, here as on any page: a browser check, or robots.txt."""


class SourceChanged(WebError):
    """A well-formed answer that its parser no longer knows."""

    reason = "source_changed"
