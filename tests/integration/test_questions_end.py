"""A service that ends does not wait for the questions that it computes."""

import asyncio
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.commands.server import metrics
from services.metrics.analytics.asking import Left, Turn
from services.metrics.analytics.desk import Desk
from shared.runtime import make
from shared.settings import Settings


async def test_a_question_that_runs_ends_with_the_service(tmp_path: Path) -> None:
    """When what the metrics service has opened is closed, nobody computes any more."""
    settings, began = Settings(data=tmp_path), threading.Event()
    await make(settings)

    def question(turn: Turn) -> None:
        began.set()
        while True:
            turn.check()

    async with AsyncExitStack() as opened:
        app, _ = await metrics(settings, opened)
        assert isinstance(app, FastAPI)
        desk: Desk = app.state.desk
        asked = asyncio.create_task(desk.asking.ask("question", question))
        assert await asyncio.to_thread(began.wait, 10)
    with pytest.raises(Left):
        await asyncio.wait_for(asked, 10)
