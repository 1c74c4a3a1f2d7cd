from datetime import timedelta

import msgspec
import pytest

from tuppence import config
from tuppence.drivers import Kind
from tuppence.errors import ConfigError
from tuppence.local.mailer import MailerOptions
from tuppence.settings import Secret, parse_span

DESIGNED = """
provider = "aws"
project = "mybot"
timezone = "Europe/London"

[capture]
flush_interval = "60s"
[pipeline]
trigger = "schedule"
every = "15m"
[retention]
events = "30d"
rollups = "800d"
[report]
schedule = "0 7 * * MON"
to = ["me@example.com"]
[budget]
monthly = 0.00
currency = "GBP"
[store]
provider = "local"
path = "events.db"
[mailer]
provider = "local"
password = { env = "SMTP_PASSWORD" }
"""


@pytest.fixture
def load(tmp_path):
    """Load a configuration of this content."""

    def load(content="", environ=None, **overrides):
        (tmp_path / "tuppence.toml").write_text(content, encoding="utf-8")
        return config.load(folder=tmp_path, environ=environ or {}, **overrides)

    return load


def test_the_designs_example_is_read_as_it_says(load, tmp_path):
    read = load(DESIGNED)

    assert (read.project, read.timezone, read.report.to) == ("mybot", "Europe/London", ["me@example.com"])
    assert read.pipeline.every == timedelta(minutes=15)
    assert read.retention.rollups == timedelta(days=800)
    assert (read.provider_of(Kind.QUEUE), read.provider_of(Kind.STORE)) == ("aws", "local")
    assert read.options(Kind.MAILER, MailerOptions).password == Secret(env="SMTP_PASSWORD")
    assert read.source == tmp_path / "tuppence.toml"


def test_without_a_file_the_defaults_hold_and_nothing_is_configured(tmp_path):
    read = config.load(folder=tmp_path, environ={})

    assert (read.provider, read.timezone, read.configured) == ("aws", "UTC", False)


def test_the_nearest_file_above_is_found(load, tmp_path):
    load('project = "above"')
    below = tmp_path / "src" / "bot"
    below.mkdir(parents=True)

    assert config.load(folder=below, environ={}).project == "above"


def test_pyproject_counts_only_with_our_table(tmp_path):
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.tuppence-else]\nproject = "else"\n', encoding="utf-8")
    without = config.load(folder=tmp_path, environ={})

    project.write_text('[tool.tuppence]\nproject = "mine"\n', encoding="utf-8")

    assert without.source is None
    assert config.load(folder=tmp_path, environ={}).project == "mine"


def test_arguments_win_over_the_environment_which_wins_over_the_file(load):
    content = 'project = "file"\ntimezone = "Asia/Tokyo"\n[store]\npath = "file.db"\nprovider = "local"\n'
    environ = {"TUPPENCE_PROJECT": "variable", "TUPPENCE_STORE__PATH": "variable.db"}

    read = load(content, environ, project="argument")

    assert (read.project, read.timezone) == ("argument", "Asia/Tokyo")
    assert read.kinds[Kind.STORE] == {"path": "variable.db", "provider": "local"}


def test_the_environment_holds_every_type(load):
    environ = {
        "TUPPENCE_CAPTURE__FLUSH_INTERVAL": "2.5s",
        "TUPPENCE_CAPTURE__JOURNAL_BYTES": "4194304",
        "TUPPENCE_CAPTURE__REDACT": "false",
        "TUPPENCE_REPORT__TO": "a@example.com, b@example.com",
        "TUPPENCE_BUDGET__MONTHLY": "1.5",
        "TUPPENCE_MAILER__PASSWORD__ENV": "SMTP_PASSWORD",
        "TUPPENCE_DISABLED": "0",
    }

    read = load(environ=environ)

    assert read.capture.flush_interval == timedelta(seconds=2.5)
    assert (read.capture.journal_bytes, read.capture.redact) == (4_194_304, False)
    assert read.report.to == ["a@example.com", "b@example.com"]
    assert read.budget.monthly == 1.5
    assert read.options(Kind.MAILER, MailerOptions).password == Secret(env="SMTP_PASSWORD")


def test_the_file_may_be_named_by_a_variable(load, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('project = "other"', encoding="utf-8")

    assert load('project = "mine"', {"TUPPENCE_CONFIG": str(other)}).project == "other"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('projct = "x"', r"unknown key `projct`; did you mean `project`\?"),
        ("[stor]\npath = 'x'", r"unknown key `stor`; did you mean `store`\?"),
        ("[capture]\nflush = '1s'", r"unknown key `capture.flush`; did you mean `flush_interval`\?"),
        ("[budget]\nzzz = 1", "unknown key `budget.zzz`; known here: currency, monthly"),
        ("project = 5", "project: expected `str`, got `int`"),
        ("capture = 5", r"capture must be a table: write \[capture\]"),
        ("store = 5", r"`store` must be a table: write \[store\]"),
        ("project = 'My Bot'", "project = 'My Bot': use 1 to 48 of a-z"),
        ("project = ''", "use 1 to 48 of a-z"),
        ("timezone = 'Europe/Londn'", "unknown time zone 'Europe/Londn'; did you mean 'Europe/London'"),
        ("timezone = '../../etc/passwd'", "unknown time zone"),
        ("[report]\nschedule = '0 7 * *'", "report.schedule: '0 7 [*] [*]': 4 fields; write five"),
        ("[report]\nschedule = '0 7 1 * MON'", "cannot both be restricted"),
        ("[pipeline]\nevery = 'often'", "pipeline.every: 'often' is no length of time"),
        ("[pipeline]\nevery = 15", "pipeline.every: '15' is no length of time"),
        ("[pipeline]\nevery = '1s'", "pipeline.every = 0:00:01 is too short; the least is 0:01:00"),
        ("[pipeline]\ntrigger = 'never'", 'pipeline.trigger must be "schedule" or "event"'),
        ("[retention]\nevents = '30d'\nrollups = '29d'", "retention.rollups = 29 days.* is too short"),
        ("[budget]\nmonthly = -1", "budget.monthly must be 0 or more"),
        ("[budget]\nmonthly = nan", "budget.monthly must be 0 or more"),
        ("project =", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_what_to_write(load, tmp_path, content, words):
    with pytest.raises(ConfigError, match=words) as caught:
        load(content)

    assert str(caught.value).startswith(str(tmp_path / "tuppence.toml"))


def test_a_mistake_in_the_environment_names_the_variable(load):
    with pytest.raises(ConfigError, match=r"TUPPENCE_STOR__PATH: unknown key `stor`"):
        load(environ={"TUPPENCE_STOR__PATH": "x"})


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml: no such file; `tuppence init` writes one"):
        config.load(tmp_path / "nothing.toml", environ={})


def test_paths_are_relative_to_the_file(load, tmp_path):
    read = load('[mailer]\ndirectory = "mails"\nca_file = "/etc/ca.pem"\n')

    options = read.options(Kind.MAILER, MailerOptions)

    assert (options.directory, options.ca_file) == (str(tmp_path / "mails"), "/etc/ca.pem")


def test_an_unknown_option_of_a_driver_is_named_with_its_table(load):
    read = load('[mailer]\npasswort = { env = "X" }\n')

    with pytest.raises(ConfigError, match=r"unknown key `mailer.passwort`; did you mean `password`\?"):
        read.options(Kind.MAILER, MailerOptions)


def test_what_options_refuse_themselves_is_said_of_their_table(load):
    class Checked(msgspec.Struct, frozen=True):
        name: str = ""

        def __post_init__(self):
            raise ValueError("The name must be short")

    read = load('[store]\nname = "long"\n')

    with pytest.raises(ConfigError, match=r"tuppence\.toml: store: the name must be short$"):
        read.options(Kind.STORE, Checked)


@pytest.mark.parametrize(
    "value", ['"geheim"', "{}", '{ env = "A", file = "b" }', '{ env = "A", value = "geheim" }', "5"]
)
def test_a_secret_is_given_by_reference_and_not_repeated(load, value):
    read = load(f"[mailer]\npassword = {value}\n")

    with pytest.raises(ConfigError, match=r"mailer\.password") as caught:
        read.options(Kind.MAILER, MailerOptions)

    assert "geheim" not in str(caught.value)


def test_a_secret_is_read_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", "from the environment")
    (tmp_path / "password").write_text("from a file\n", encoding="utf-8")

    assert Secret(env="SOME_PASSWORD").reveal() == "from the environment"
    assert Secret(file=str(tmp_path / "password")).reveal() == "from a file"


def test_a_secret_that_is_not_there_is_named_by_its_reference(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="NOT_SET_ANYWHERE is not set"):
        Secret(env="NOT_SET_ANYWHERE").reveal()
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Secret(file=str(tmp_path / "nothing")).reveal()
    with pytest.raises(ConfigError, match="not UTF-8"):
        Secret(file=str(tmp_path / "binary")).reveal()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("60s", 60), ("15m", 900), ("1.5h", 5400), ("30d", 2_592_000), (" 2 w ", 1_209_600)],
)
def test_a_span_is_a_number_and_a_unit(text, seconds):
    assert parse_span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "60", "s", "-1s", "1y", "1h30m", "1e3s", "nan s", "9" * 30 + "w"])
def test_anything_else_is_no_span(text):
    with pytest.raises(ValueError, match=r"no length of time|longer than can be kept"):
        parse_span(text)


def test_a_journal_too_small_to_hold_anything_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="journal_bytes must be"):
        config.load(folder=tmp_path, environ={}, capture={"journal_bytes": -1})
