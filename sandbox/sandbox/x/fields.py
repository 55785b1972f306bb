"""The fields and expansions that a call may ask for: https://docs.x.com/x-api/fundamentals/fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.x.errors import invalid


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names that documentation and older clients use, with those of the specification; who asks by the former gets them.
OLDER = {"referenced_posts": "referenced_tweets", "edit_history_post_ids": "edit_history_tweet_ids"}
POST_FIELDS = _words("""
article article_title attachments card_uri community_id context_annotations conversation_id created_at
display_text_range edit_controls entities geo id lang matched_media_notes media_metadata non_public_metrics note_post
note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics public_metrics
reply_settings scopes source suggested_source_links suggested_source_links_with_counts text withheld
""")
OLDER_POST_FIELDS = POST_FIELDS | {"author_id", "in_reply_to_user_id", "referenced_tweets", "edit_history_tweet_ids"}
POST_EXPANSIONS = _words("""
article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet attachments.poll_ids
author_id edit_history_post_ids entities.mentions.username geo.place_id in_reply_to_user_id referenced_posts username
referenced_tweets.id edit_history_tweet_ids
""")
USER_FIELDS = _words("""
confirmed_email connection_status created_at description entities id is_identity_verified location name parody
profile_banner_url profile_image_url protected public_metrics receives_your_dm subscribes_to_you subscription
subscription_type url username verified verified_followers_count verified_type withheld
""")
MEDIA_FIELDS = _words("""
alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics
public_metrics type url variants width
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields and expansions that a call asks for. `older` says that it uses the older names."""

    post: frozenset[str] = frozenset()
    user: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    expansions: frozenset[str] = frozenset()
    older: bool = False


NOTHING = Asked()


def asked_of(given: Mapping[str, str]) -> Asked:
    """Read the parameters of a query; raises the 400 for a field that is not known."""
    older = "tweet.fields" in given
    post = _names(given, "tweet.fields", OLDER_POST_FIELDS) if older else _names(given, "post.fields", POST_FIELDS)
    return Asked(
        post,
        _names(given, "user.fields", USER_FIELDS),
        _names(given, "media.fields", MEDIA_FIELDS),
        _names(given, "expansions", POST_EXPANSIONS),
        older,
    )


def _names(given: Mapping[str, str], parameter: str, known: frozenset[str]) -> frozenset[str]:
    if parameter not in given:
        return frozenset()
    names = frozenset(given[parameter].split(","))
    if unknown := sorted(names - known):
        message = f"The `{parameter}` query parameter value [{unknown[0]}] is not one of [{','.join(sorted(known))}]"
        raise invalid(message, **{parameter.replace(".", "__"): unknown[0]})
    return names
