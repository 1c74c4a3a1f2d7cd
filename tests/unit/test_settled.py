"""What the functions are told is what was in effect where they were deployed from."""

from tuppence.config import load
from tuppence.drivers import Kind
from tuppence.settled import settled

ODD = 'a "b" \\ é \U0001f4ca \t\x7f'


def test_everything_in_effect_comes_back_but_the_profile(tmp_path):
    config = load(
        folder=tmp_path,
        environ={"TUPPENCE_REPORT__TO": "me@example.com,you@example.com", "TUPPENCE_STORE__READ_UNITS": "5"},
        project="mybot",
        timezone="Asia/Kathmandu",
        pipeline={"every": "90s", "trigger": "event"},
        budget={"monthly": 0.5},
        queue={"profile": "mine", "region": "eu-west-2"},
        mailer={"provider": "local", "password": {"env": "SMTP_PASSWORD"}, "host": ODD},
    )

    (tmp_path / "tuppence.toml").write_text(settled(config, without={"profile"}), encoding="utf-8")
    again = load(tmp_path / "tuppence.toml", environ={})

    same = ("provider", "project", "timezone", "capture", "pipeline", "retention", "report", "budget")
    assert [getattr(again, key) for key in same] == [getattr(config, key) for key in same]
    assert again.kinds[Kind.QUEUE] == {"region": "eu-west-2"}
    assert again.kinds[Kind.MAILER] == config.kinds[Kind.MAILER]
    assert again.kinds[Kind.STORE] == config.kinds[Kind.STORE]
