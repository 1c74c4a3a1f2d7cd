import textwrap
from importlib.metadata import EntryPoint

import pytest

from tuppence import config, plugins
from tuppence.drivers import Context, Kind
from tuppence.errors import ConfigError, PluginError
from tuppence.local.queue import LocalQueue
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock

GOOD = """
    from tuppence.drivers import Kind
    from tuppence.hookspecs import API, Provider, hookimpl

    @hookimpl
    def tuppence_provider():
        return Provider(name="acme", api=API, drivers={Kind.QUEUE: "tuppence.local.queue:LocalQueue"})
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a module and return its entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def plugin(name, content):
        module = f"tuppence_test_{tmp_path.name}_{name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(content), encoding="utf-8")
        return EntryPoint(name, module, plugins.GROUP)

    return plugin


def test_the_embedded_provider_is_found_like_any_other():
    found = plugins.load()

    assert not found.broken
    assert set(found.provider("local").drivers) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_driver_of_the_embedded_provider_can_be_loaded(kind):
    assert plugins.load().driver_class(kind, "local").check


def test_a_plugin_that_cannot_be_imported_harms_no_other(plugin):
    found = plugins.load([plugin("acme", GOOD), plugin("bad", "raise RuntimeError('no licence')")])

    assert found.provider("acme").name == "acme"
    with pytest.raises(PluginError, match="installed but broken: RuntimeError: no licence"):
        found.provider("bad")


def test_a_plugin_that_ends_the_process_when_imported_harms_no_other(plugin):
    found = plugins.load([plugin("acme", GOOD), plugin("bad", "import sys; sys.exit(3)")])

    assert found.provider("acme").name == "acme"
    with pytest.raises(PluginError, match="installed but broken: SystemExit: 3"):
        found.provider("bad")


def test_a_driver_that_ends_the_process_when_imported_is_named(plugin):
    exits = plugin("exits", "raise SystemExit(3)")
    acme = plugin("acme", GOOD.replace("tuppence.local.queue:LocalQueue", f"{exits.value}:Queue"))

    with pytest.raises(PluginError, match="cannot load its queue"):
        plugins.load([acme]).driver_class(Kind.QUEUE, "acme")


def test_stopping_a_command_while_plugins_load_stops_it(plugin):
    with pytest.raises(KeyboardInterrupt):
        plugins.load([plugin("slow", "raise KeyboardInterrupt")])


def test_a_hook_that_ends_the_process_is_set_aside(plugin):
    head, _, _ = GOOD.partition("        return")

    found = plugins.load([plugin("acme", f"{head}        raise SystemExit(0)\n")])

    with pytest.raises(PluginError, match="installed but broken: SystemExit"):
        found.provider("acme")


def test_a_driver_that_ends_the_process_is_an_error_of_its_plugin(plugin, tmp_path):
    module = plugin(
        "harsh",
        """
        from tuppence.local.queue import LocalQueue

        class Harsh(LocalQueue):
            def __init__(self, options, context):
                raise SystemExit(1)
        """,
    ).value
    found = plugins.load([plugin("acme", GOOD.replace("tuppence.local.queue:LocalQueue", f"{module}:Harsh"))])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"path": "q.db"})

    with pytest.raises(PluginError, match=":Harsh ended the process"):
        found.driver(Kind.QUEUE, settings, Context(project="p", meter=UnitMeter(), clock=ManualClock()))


def test_a_distribution_that_is_on_the_path_twice_is_one_plugin(plugin):
    entry = plugin("acme", GOOD)

    found = plugins.load([entry, EntryPoint(entry.name, entry.value, entry.group)])

    assert list(found.providers) == ["acme"]
    assert not found.broken


@pytest.mark.parametrize(
    "declared",
    [
        'Provider(name="", api=API)',
        "Provider(name=None, api=API)",
        'Provider(name="acme", api=API, drivers=["x"])',
        'Provider(name="acme", api=API, drivers={"queue": "m:C"})',
        'Provider(name="acme", api=API, drivers={Kind.QUEUE: None})',
        'Provider(name="acme", api=API, drivers={Kind.QUEUE: {}})',
    ],
)
def test_a_declaration_of_nonsense_is_set_aside(plugin, declared):
    head, _, _ = GOOD.partition("        return")

    found = plugins.load([plugin("acme", f"{head}        return {declared}\n")])

    with pytest.raises(PluginError, match="must be"):
        found.provider("acme")


def test_a_plugin_of_another_interface_version_is_refused(plugin):
    found = plugins.load([plugin("acme", GOOD.replace("api=API", "api=API + 1"))])

    with pytest.raises(PluginError, match="written for interface version 2, this tuppence speaks 1"):
        found.provider("acme")


def test_a_name_belongs_to_one_plugin(plugin):
    found = plugins.load([plugin("acme", GOOD), plugin("copycat", GOOD)])

    assert list(found.providers) == ["acme"]
    with pytest.raises(PluginError, match="the name 'acme' is taken"):
        found.provider("copycat")


def test_a_misspelt_hook_is_an_error(plugin):
    found = plugins.load([plugin("acme", GOOD.replace("def tuppence_provider", "def tuppence_providr"))])

    with pytest.raises(PluginError, match="tuppence_providr"):
        found.provider("acme")


@pytest.mark.parametrize("body", ["pass", "return None", "return 'acme'"])
def test_a_hook_that_returns_no_provider_is_an_error(plugin, body):
    head, _, _ = GOOD.partition("        return")

    found = plugins.load([plugin("acme", f"{head}        {body}\n")])

    with pytest.raises(PluginError, match="must return one Provider"):
        found.provider("acme")


def test_a_blocked_plugin_is_not_even_imported(plugin, monkeypatch):
    monkeypatch.setenv(plugins.BLOCK_VARIABLE, "other, bad")

    found = plugins.load([plugin("acme", GOOD), plugin("bad", "raise RuntimeError('imported')")])

    assert list(found.providers) == ["acme"]
    assert not found.broken
    with pytest.raises(PluginError, match="blocked by TUPPENCE_BLOCK_PLUGINS"):
        found.provider("bad")


def test_a_missing_provider_says_what_to_install(plugin):
    found = plugins.load([plugin("acme", GOOD)])

    with pytest.raises(PluginError, match=r"installed: acme.*pip install tuppence-azure"):
        found.provider("azure")


def test_a_slip_in_a_name_is_told_from_what_is_missing(plugin):
    found = plugins.load([plugin("acme", GOOD)])

    with pytest.raises(PluginError, match=r"did you mean 'acme'\?"):
        found.provider("acne")


def test_a_missing_kind_names_who_has_one(plugin):
    found = plugins.load([plugin("acme", GOOD)])

    with pytest.raises(PluginError, match="acme has no mailer; installed providers with one: none"):
        found.driver_class(Kind.MAILER, "acme")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no_such_module:Queue", "cannot load its queue"),
        ("tuppence.local.queue:Absent", "cannot load its queue"),
        ("tuppence.local.queue:POLL", "is no driver"),
    ],
)
def test_a_driver_that_cannot_be_loaded_is_named(plugin, target, words):
    found = plugins.load([plugin("acme", GOOD.replace("tuppence.local.queue:LocalQueue", target))])

    with pytest.raises(PluginError, match=words):
        found.driver_class(Kind.QUEUE, "acme")


def test_a_driver_is_built_from_its_own_table(plugin, tmp_path):
    found = plugins.load([plugin("acme", GOOD)])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"path": "q.db"})
    context = Context(project="p", meter=UnitMeter(), clock=ManualClock())

    driver = found.driver(Kind.QUEUE, settings, context)

    assert isinstance(driver, LocalQueue)
    assert driver.options.path == str(tmp_path / "q.db")


SERVICES = GOOD.replace(
    '"tuppence.local.queue:LocalQueue"',
    '{"files": "tuppence.local.queue:LocalQueue", "cloud": "acme_sdk_that_is_not_there:Queue"}',
)


@pytest.mark.parametrize("chosen", [{}, {"service": "files"}])
def test_a_driver_is_that_of_the_chosen_service_or_the_first(plugin, tmp_path, chosen):
    found = plugins.load([plugin("acme", SERVICES)])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"path": "q.db", **chosen})
    context = Context(project="p", meter=UnitMeter(), clock=ManualClock())

    driver = found.driver(Kind.QUEUE, settings, context)

    assert isinstance(driver, LocalQueue)
    assert driver.options.path == str(tmp_path / "q.db")


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ("cloud", "cannot load its queue"),
        ("clod", 'acme has no queue on \'clod\'; write `service =` one of "files", "cloud"'),
    ],
)
def test_a_service_that_is_not_there_is_named(plugin, tmp_path, service, problem):
    found = plugins.load([plugin("acme", SERVICES)])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"service": service})
    context = Context(project="p", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(PluginError, match=problem):
        found.driver(Kind.QUEUE, settings, context)


def test_a_provider_with_one_service_has_none_to_choose(plugin, tmp_path):
    found = plugins.load([plugin("acme", GOOD)])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"service": "files"})
    context = Context(project="p", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(ConfigError, match=r"unknown key `queue\.service`"):
        found.driver(Kind.QUEUE, settings, context)


def test_a_wrong_option_is_the_configurations_mistake(plugin, tmp_path):
    found = plugins.load([plugin("acme", GOOD)])
    settings = config.load(folder=tmp_path, environ={}, provider="acme", queue={"pth": "q.db"})
    context = Context(project="p", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(ConfigError, match=r"unknown key `queue.pth`; did you mean `path`\?"):
        found.driver(Kind.QUEUE, settings, context)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("tuppence.local.queue:LocalQueue", "is no deployer"),
        ("tuppence.local.nowhere:Deployer", "cannot load its deployer"),
    ],
)
def test_a_deployer_that_cannot_be_one_is_named(plugin, target, problem):
    declared = GOOD.replace("api=API", f'api=API, deployer="{target}"')
    found = plugins.load([plugin("acme", declared)])

    with pytest.raises(PluginError, match=f"^acme: .*{problem}"):
        found.deployer_class("acme")


def test_a_provider_without_resources_has_nothing_to_deploy(plugin):
    found = plugins.load([plugin("acme", GOOD)])

    with pytest.raises(PluginError, match="acme has nothing to deploy"):
        found.deployer_class("acme")
