"""Writes the golden sentences and the tables of docs/journeys/language.md anew: `python -m tests.golden.sentences`.

What has changed is then for somebody to read who knows the language.
"""

from shared.journeys.telling import LANGUAGES
from tests.golden.sentences import CONSTRUCTS, FOLDER, PAGE, quoted, read, sentence, with_tables
from tests.golden.sentences.reasons import told

if __name__ == "__main__":
    for name in LANGUAGES:
        lines = [
            "---",
            "# See constructs.yaml: what each of its examples reads like. Made by `python -m tests.golden.sentences`.",
        ]
        for section in read("constructs"):
            lines.append(f"{section}:")
            mine = [(key, text) for (of, key), text in CONSTRUCTS.items() if of == section]
            lines += [f"  {key}: {quoted(sentence(name, text))}" for key, text in mine]
        (FOLDER / f"{name}.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    lines = ["---", "# What *why* tells of the customers of reasons.py. Made by `python -m tests.golden.sentences`."]
    for name in LANGUAGES:
        lines.append(f"{name}:")
        for customer, said in told(name):
            lines.append(f"  {customer}:")
            lines += [f"    {key}: {quoted(text, 6)}" for key, text in said.items()]
    (FOLDER / "why.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
