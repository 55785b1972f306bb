"""People who use the panel: who they are, how they sign in, what they may do."""

from common.users.passwords import PasswordRefused, Passwords, WrongPassword, WrongTerms
from common.users.people import LastAdministrator, LoginTaken, NoSuchUser, Person, Role, User, Users
from common.users.sessions import Session, Sessions, WrongCredentials
from common.users.settings import SignInSettings
from common.users.setup import Setup, SetupRefused
from common.users.throttle import Throttled

__all__ = [
    "LastAdministrator",
    "LoginTaken",
    "NoSuchUser",
    "PasswordRefused",
    "Passwords",
    "Person",
    "Role",
    "Session",
    "Sessions",
    "Setup",
    "SetupRefused",
    "SignInSettings",
    "Throttled",
    "User",
    "Users",
    "WrongCredentials",
    "WrongPassword",
    "WrongTerms",
]
