"""`postroom`: runs the whole stack on one machine, and operates a running one."""

import typer

from common.service.entry import speak_utf8
from postroom.commands import (
    alerts,
    broadcast,
    broadcasts,
    budgets,
    catalog,
    chats,
    dead,
    export,
    images,
    importing,
    jobs,
    login,
    logs,
    migrate,
    operations,
    pub,
    queues,
    serve,
    status,
    token,
    trace,
    up,
    user,
    verify,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A self-hosted content pipeline: collect, rewrite, publish; nothing is lost, nothing is posted twice.",
)
app.command("up")(up.up)
app.command("run")(serve.serve)
app.command("status")(status.status)
app.add_typer(queues.app, name="queues")
app.command("trace")(trace.trace)
app.command("logs")(logs.logs)
app.command("verify")(verify.verify)
app.add_typer(jobs.app, name="jobs")
app.add_typer(dead.app, name="dead")
app.add_typer(operations.app, name="operations")
app.add_typer(alerts.app, name="alerts")
app.command("pub")(pub.pub)
app.command("export")(export.export)
app.command("prune")(export.prune)
app.command("import")(importing.import_file)
app.command("broadcast")(broadcast.broadcast)
app.add_typer(broadcasts.app, name="broadcasts")
app.add_typer(budgets.app, name="budgets")
app.add_typer(chats.app, name="chats")
app.add_typer(images.app, name="images")
app.command("login")(login.login)
app.command("migrate")(migrate.migrate)
app.add_typer(catalog.app, name="catalog")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")


def main() -> None:
    """Entry point of the command."""
    speak_utf8()
    app()
