"""`kong migrations bootstrap|up|finish`, and the check of the database's state when a node starts.

Based on `kong/cmd/migrations.lua`, `kong/cmd/utils/migrations.lua` and `kong/db/migrations/` of Kong 3.9. Migrations of
plugins are not supported.
"""

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from local.kong.database import TABLES, Cursor, Database, DatabaseError
from local.kong.enabled_plugins import StartError
from local.kong.kong_config import KongConfig

COMMANDS = ("bootstrap", "up", "finish")
NEEDS_BOOTSTRAP = (
    "Database needs bootstrapping or is older than Kong 1.0.\n\n"
    "To start a new installation from scratch, run 'kong migrations bootstrap'.\n\n"
    "To migrate from a version older than 1.0, migrated to Kong 1.5.0 first. \n"
    "If you still have 'apis' entities, you can convert them to Routes and Services\n"
    "using the 'kong migrations migrate-apis' command in Kong 1.5.0.\n\n"
)
NEW_MIGRATIONS = "New migrations available; run 'kong migrations up' to proceed"
NOT_LEADER = "aborted: another node is performing database changes"
NO_VERSION = "[PostgreSQL error] failed to retrieve PostgreSQL server_version_num: "

DEFAULT_WORKSPACE = "default"
ADMIN = "kong_admin"
"""The admin that the bootstrap of Kong Gateway Enterprise creates, with KONG_PASSWORD as token."""

# fmt: off
CORE = (
    "000_base", "003_100_to_110", "004_110_to_120", "005_120_to_130", "006_130_to_140", "007_140_to_150",
    "008_150_to_200", "009_200_to_210", "010_210_to_211", "011_212_to_213", "012_213_to_220", "013_220_to_230",
    "014_230_to_270", "015_270_to_280", "016_280_to_300", "017_300_to_310", "018_310_to_320", "019_320_to_330",
    "020_330_to_340", "021_340_to_350", "022_350_to_360", "023_360_to_370", "024_380_to_390",
)
# fmt: on
"""The migrations of Kong's core up to 3.9."""

_LOCK = 0x6B6F6E67

Log = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class State:
    """The migrations that `up` has to run (`new`) and those that `finish` has to complete (`pending`)."""

    needs_bootstrap: bool
    new: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


def run(command: str, kong_config: KongConfig, database: Database, log: Log = lambda line: None) -> None:
    """Runs the command. Raises StartError with Kong's message."""
    if kong_config.database == "off":
        raise StartError("migrations are not supported with database=off")
    try:
        with database.transaction() as cursor:
            cursor.execute("SHOW server_version_num")
    except DatabaseError as problem:
        raise StartError(NO_VERSION + str(problem)) from problem
    try:
        with database.transaction() as cursor:
            _run(command, kong_config, cursor, log)
    except DatabaseError as problem:
        raise StartError(f"[PostgreSQL error] {problem}") from problem


def state(cursor: Cursor) -> State:
    """Returns the state of migrations in this database."""
    cursor.execute("SELECT to_regclass('schema_meta') IS NOT NULL AS there")
    if not cursor.fetchall()[0]["there"]:
        return State(needs_bootstrap=True, new=CORE)
    cursor.execute("SELECT executed, pending FROM schema_meta WHERE key = 'schema_meta' AND subsystem = 'core'")
    row = cursor.fetchone() or {}
    executed, pending = row.get("executed") or [], row.get("pending") or []
    return State(
        needs_bootstrap=False,
        new=tuple(name for name in CORE if name not in executed and name not in pending),
        pending=tuple(pending),
    )


def check(found: State) -> None:
    """Raises StartError if a node cannot start with a database in this state."""
    if found.needs_bootstrap:
        raise StartError(NEEDS_BOOTSTRAP)
    if found.new:
        raise StartError(NEW_MIGRATIONS)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _run(command: str, kong_config: KongConfig, cursor: Cursor, log: Log) -> None:
    found = state(cursor)
    if command == "bootstrap" and not found.needs_bootstrap:
        log("Database already bootstrapped")
        return
    if command != "bootstrap" and found.needs_bootstrap:
        raise StartError("Cannot run migrations: " + NEEDS_BOOTSTRAP)
    if command == "up" and found.pending:
        raise StartError("Database has pending migrations; run 'kong migrations finish'")
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s) AS ours", (_LOCK,))
    if not cursor.fetchall()[0]["ours"]:
        log(NOT_LEADER)
    elif command == "bootstrap":
        log("Bootstrapping database...")
        _bootstrap(kong_config, cursor, log)
        log("Database is up-to-date")
    elif command == "up" and not found.new:
        log("Database is already up-to-date")
    elif command == "up":
        _execute(found.new, kong_config, cursor, log)
    elif found.pending:
        _execute(found.pending, kong_config, cursor, log)
    else:
        log(NEW_MIGRATIONS if found.new else "No pending migrations to finish")


def _bootstrap(kong_config: KongConfig, cursor: Cursor, log: Log) -> None:
    cursor.execute(TABLES)
    cursor.execute("INSERT INTO schema_meta (key, subsystem) VALUES ('schema_meta', 'core')")
    _execute(CORE, kong_config, cursor, log)
    cursor.execute(
        "INSERT INTO workspaces (id, name, created_at) VALUES (%s, %s, %s)",
        (uuid.uuid4(), DEFAULT_WORKSPACE, int(time.time())),
    )
    if kong_config.enterprise and kong_config.get("password"):
        cursor.execute("INSERT INTO rbac_users VALUES (%s, %s)", (ADMIN, digest(kong_config.get("password"))))


def _execute(names: tuple[str, ...], kong_config: KongConfig, cursor: Cursor, log: Log) -> None:
    log(f"migrating core on database '{kong_config.get('pg_database', 'kong')}'...")
    for name in names:
        log(f"core migrated up to: {name} (executed)")
    cursor.execute(
        "UPDATE schema_meta SET last_executed = %s, pending = NULL, "
        "executed = array_cat(coalesce(executed, '{}'), %s) WHERE subsystem = 'core'",
        (names[-1], list(names)),
    )
    log(f"{len(names)} migration{'s' if len(names) > 1 else ''} processed")
    log(f"{len(names)} executed")
