"""All settings, read once from the environment and from `hookline.toml`. Nobody else reads either.

Every field can be given as `HOOKLINE_<NAME>` or as `<name> = …` in the file; the environment wins.
`OPENAI_BASE_URL` and `OPENAI_API_KEY` work as they do everywhere else.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hookline.errors import BadInput

FILE = Path("hookline.toml")


class Settings(BaseSettings):
    """What one running Hookline is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="HOOKLINE_", toml_file=FILE, extra="forbid", frozen=True
    )

    database: str = "sqlite:///var/hookline.db"
    """Where documents and the log live."""
    host: str = "127.0.0.1"
    """Address the service listens on."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """Port the service listens on; 0 takes a free one."""
    writer: str = "phrasebook"
    """Writer used where a request names none."""
    creativity: float = Field(default=0.5, ge=0, le=1)
    """Which copies are kept: from the most promising (0) to the most varied (1)."""
    creativity_by_category: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Product category, from its broad end → its own creativity."""
    budget_usd: float = Field(default=1.0, gt=0)
    """Cost cap of one order for copy, in US dollars; beyond it the phrasebook writes."""
    prior: str = "shipped"
    """Text prior that forecasts new lines: `shipped`, a folder made by `hookline train-prior`, or
    `none`."""
    encoder: str = "static"
    """Encoder of new lines' embeddings: `static`, `sentence:MODEL`, `clip:MODEL` or `none`."""
    learn_every_s: float = Field(default=10.0, ge=0)
    """Seconds between two learning rounds of the service; 0 learns only when asked."""
    flush_every_s: float = Field(default=0.05, gt=0, le=5)
    """Seconds that a decision may wait in memory before it is written to the log."""
    trust_sent_at: bool = False
    """Whether the header `Hookline-Sent-At` is taken as the time of a request: for simulations and
    for loading history. Leave it off where the public can reach the service."""
    secret: SecretStr = SecretStr("")
    """Key that signs decision tokens; empty makes one at first start and keeps it in the store."""

    openai_base_url: str = Field(
        default="", validation_alias=AliasChoices("HOOKLINE_OPENAI_BASE_URL", "OPENAI_BASE_URL")
    )
    """Address of an OpenAI-compatible server, ending in `/v1`; empty for OpenAI's own."""
    openai_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("HOOKLINE_OPENAI_API_KEY", "OPENAI_API_KEY"),
    )
    """Its key; servers of your own often need none."""
    openai_model: str = "gpt-5-mini"
    """Model name sent to the server."""
    openai_timeout_s: float = Field(default=30.0, gt=0)
    """Seconds until one request is given up."""
    openai_retries: int = Field(default=2, ge=0, le=10)
    """Further tries after a failure that may pass."""
    openai_at_once: int = Field(default=8, ge=1, le=64)
    """Most requests under way at the same time."""
    openai_budget_usd: float = Field(default=5.0, ge=0)
    """Cost cap of one process, in US dollars; beyond it the phrasebook writes."""
    openai_usd_per_million_in: float = Field(default=0.25, ge=0)
    """Price of a million prompt tokens."""
    openai_usd_per_million_out: float = Field(default=2.0, ge=0)
    """Price of a million completion tokens."""
    openai_cache: str = ""
    """File that keeps answers, so that the same request is paid for once; empty keeps none."""

    transformers_model: str = ""
    """Folder of a Hugging Face causal language model, for the writer `transformers`."""
    transformers_device: str = "cpu"
    """Where it runs, as torch names it."""
    prompts: str = ""
    """Folder of prompt versions that `hookline prompt` keeps; empty writes with the one that
    ships."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment before file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(**given: object) -> Settings:
    """The settings of this process; what is given here wins over environment and file.

    Raises:
        BadInput: Naming the setting and what is wrong with it.
    """
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType] - checked by pydantic
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"setting {name}: {first['msg'].lower()} (got {first['input']!r})") from None
