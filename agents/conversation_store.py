"""ConversationStore: the conversations of an agent's actor; they survive its restarts."""

from callboard.agents.conversation import Conversation
from callboard.agents.errors import ConversationLimitError, ConversationUnknownError


class ConversationStore:
    """Conversations by their ids, up to a limit. Nothing is dropped silently.

    Args:
        agent: Whose they are, for errors.
        limit: How many it may hold.
        window: How many of its last exchanges a new conversation shows the model; None for all.
    """

    def __init__(self, agent: str, *, limit: int, window: int | None = None) -> None:
        self._agent = agent
        self._limit = limit
        self._window = window
        self._conversations: dict[str, Conversation] = {}

    def open(self, id: str) -> Conversation:  # noqa: A002 - what everybody calls it
        """Return the conversation of this id, a new one if there is none yet.

        Raises:
            ConversationLimitError: If it would be one too many.
        """
        found = self._conversations.get(id)
        if found is None:
            if len(self._conversations) >= self._limit:
                raise ConversationLimitError(self._agent, self._limit)
            found = self._conversations[id] = Conversation(id=id, window=self._window)
        return found

    def copy(self, id: str) -> Conversation:  # noqa: A002 - as above
        """Return a copy of the conversation of this id, under the same id.

        Raises:
            ConversationUnknownError: If there is none.
        """
        if id not in self._conversations:
            raise ConversationUnknownError(self._agent, id)
        return self._conversations[id].fork(id)

    def drop(self, id: str) -> bool:  # noqa: A002 - as above
        """Forget a conversation; return whether there was one."""
        return self._conversations.pop(id, None) is not None

    def drop_if_empty(self, id: str) -> None:  # noqa: A002 - as above
        """Forget a conversation in which nothing has been said."""
        if id in self._conversations and not len(self._conversations[id]):
            del self._conversations[id]

    def __len__(self) -> int:
        return len(self._conversations)
