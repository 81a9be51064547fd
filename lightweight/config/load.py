"""Files to Config: read, laid over each other, judged, every problem told at once."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, structs

from lightweight.config.check import check
from lightweight.config.cross import cross_check
from lightweight.config.lines import lines_of
from lightweight.config.merge import Layers, Origin
from lightweight.config.schema import DEFAULT_TIERS, Config
from lightweight.config.secret import Secret, find_secret
from lightweight.config.words import KeyPath, dotted

_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$")
_OTHERS = 0o077
_BARE_URL = re.compile(r"[a-z+]+://(?:[^:@/?]*@)?[^@?]*(?:\?db=[0-9]+)?")
"""A URL without a password, which is no secret."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong or unwise, and where."""

    file: str
    line: int | None = None
    path: str = ""
    text: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used; its text has one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Loaded(Struct, frozen=True, kw_only=True):
    """A configuration and where it comes from."""

    config: Config
    warnings: tuple[Problem, ...]
    origins: Mapping[str, Origin]
    """By dotted path; what is not in it is a default."""
    files: tuple[Path, ...]
    """The files read, in order."""
    texts: tuple[Secret, ...] = ()
    """What stood in each of them: maybe secrets too."""
    secrets: tuple[Secret, ...] = ()
    """Every secret that was found."""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    presets: Collection[str] = (),
    secrets_of: Collection[str] | None = None,
    concerns: Collection[str] | None = None,
    texts: Mapping[Path, str] | None = None,
) -> Loaded:
    """Read ``path`` and ``conf.d/*.toml`` beside it; None gives all defaults.

    ``environ`` is where ``{ env = … }`` and ``{ credential = … }`` look, ``presets``
    the names of the catalog's presets. ``secrets_of`` names the only tables whose
    secrets the caller needs: others may be out of its reach (a service's credentials
    are, in a shell), are not looked for and come out empty. ``concerns`` names the only
    settings that the caller acts upon: if there is TOML and nothing is wrong with them,
    other problems are left to somebody else's judgement and the rest of the
    configuration is not to be used. ``texts`` are the files as they were when they were
    read: then no file is, but those of secrets. Raises ConfigError with every problem
    there is; no message holds the value of a secret. SPEC section 10.
    """
    layers = Layers()
    unread: list[Problem] = []
    if texts is None:
        texts, unread = _texts(path)
    broken = [problem for file in texts if (problem := _lay(file, texts[file], layers))]
    secrets = _Secrets(layers, environ, secrets_of)
    checked = check(layers.data, Config, secrets.reveal)
    issues = list(checked.issues)
    if not broken and not unread:
        # A file that could not be read may hold what the others refer to.
        issues += cross_check(checked, presets)
    found = [
        _located(layers.origin(issue.path), issue.path, issue.text) for issue in issues
    ]
    names = [str(file) for file in texts]
    problems = [*unread, *sorted([*broken, *found], key=lambda p: _order(p, names))]
    touched = {path[0] for path in (*checked.blamed, *(i.path for i in issues))}
    if broken or unread or (problems if concerns is None else touched & {*concerns}):
        raise ConfigError(problems)
    config = checked.value
    return Loaded(
        config=structs.replace(config, tiers={**DEFAULT_TIERS, **config.tiers}),
        warnings=tuple(sorted(secrets.warnings, key=lambda p: _order(p, names))),
        origins=MappingProxyType({dotted(p): o for p, o in layers.origins.items()}),
        files=tuple(texts),
        texts=tuple(Secret(text) for text in texts.values()),
        secrets=tuple(secrets.found),
    )


def _texts(path: Path | None) -> tuple[Mapping[Path, str], list[Problem]]:
    """Read the files there are; tell of those that cannot be read."""
    files, unread = _files(path)
    texts: dict[Path, str] = {}
    for file in files:
        try:
            texts[file] = file.read_bytes().decode()
        except OSError as error:
            text = f"cannot be read: {error.strerror}"
            unread.append(Problem(file=str(file), text=text))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            text = "is not UTF-8 text"
            unread.append(Problem(file=str(file), line=line, text=text))
    return texts, unread


def _files(path: Path | None) -> tuple[list[Path], list[Problem]]:
    """Give the files there are to read, and what kept us from looking for them."""
    if path is None:
        return [], []
    directory = path.parent / "conf.d"
    try:
        entries = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return [path], []
    except OSError as error:
        problem = Problem(file=str(directory), text=f"cannot be read: {error.strerror}")
        return [path], [problem]
    # Editors leave hidden files behind.
    more = [e for e in entries if e.suffix == ".toml" and not e.name.startswith(".")]
    return [path, *more], []


def _lay(path: Path, text: str, layers: Layers) -> Problem | None:
    """Lay one file over the others, or say why it cannot be."""
    file = str(path)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        return Problem(file=file, text="is nested too deeply")
    except ValueError as error:
        # Not only TOMLDecodeError: an integer of 5000 digits is a plain ValueError.
        return _syntax(file, text, str(error))
    try:
        layers.lay(data, file, lines_of(text))
    except RecursionError:
        return Problem(file=file, text="is nested too deeply")
    return None


def _syntax(file: str, text: str, message: str) -> Problem:
    found = _PLACE.match(message)
    if found is None:
        return Problem(file=file, text="not valid TOML: a value is out of range")
    what, line, column = found.groups()
    what = f"not valid TOML: {what[:1].lower()}{what[1:]}"
    if line is None:
        last = text.rstrip().count("\n") + 1
        return Problem(file=file, line=last, text=f"{what} at the end of the file")
    return Problem(file=file, line=int(line), text=f"{what} (column {column})")


def _located(origin: Origin, path: KeyPath, text: str) -> Problem:
    return Problem(file=origin.file, line=origin.line, path=dotted(path), text=text)


def _order(problem: Problem, files: list[str]) -> tuple[int, int]:
    return files.index(problem.file), problem.line or 0


class _Secrets:
    """Finds the secrets that the configuration points at."""

    def __init__(
        self,
        layers: Layers,
        environ: Mapping[str, str],
        needed: Collection[str] | None,
    ) -> None:
        self._layers = layers
        self._variables = environ
        self._needed = needed
        self.warnings: list[Problem] = []
        self.found: list[Secret] = []

    def reveal(self, path: KeyPath, value: object) -> Secret:
        """Give the secret that ``value`` is or points at; raise ValueError."""
        if self._needed is not None and path[0] not in self._needed:
            return Secret("")
        origin = self._layers.origin(path)
        file = Path(origin.file)
        secret = find_secret(value, file.parent, self._variables)
        self.found.append(secret)
        bare = path[-1] == "url" and _BARE_URL.fullmatch(secret.reveal())
        if isinstance(value, str) and not bare:
            self.warnings.append(_located(origin, path, _warning(file)))
        return secret


def _warning(file: Path) -> str:
    here = "the secret itself stands here"
    try:
        mode = file.stat().st_mode & 0o777
    except OSError:
        # It was read a while ago.
        mode = 0
    if mode & _OTHERS:
        return (
            f"{here} and other users may read this file (mode {mode:04o}): "
            f"chmod it to 0600, and move the secret to a file or the environment"
        )
    return f"{here}: better move it to a file or the environment"
