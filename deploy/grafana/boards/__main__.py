"""`python -m deploy.grafana.boards` writes every board as JSON."""

from deploy.grafana.boards import BOARDS, FOLDER
from deploy.grafana.boards.board import spelt

if __name__ == "__main__":
    for name, made in BOARDS.items():
        (FOLDER / f"{name}.json").write_text(spelt(made()), "utf-8")
