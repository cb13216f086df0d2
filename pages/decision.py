"""May we use it?: what speaks for a network, what against it, and what nobody has examined yet."""

from ui.page import page

with page("May we use it?", style="decision") as p:
    from ui.decision import view
    from ui.report import basket

    p.address(view.parameters())
    model, root = view.choices()
    with p.section("The answer"):
        view.show(model, root, [entry.item for entry in basket.entries()], basket.add)
