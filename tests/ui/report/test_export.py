"""A download holds what the visitor wrote last."""

import threading
import time

from camcore.report.document import Report
from ui.report.export import GRACE, LatestReport


def test_a_text_that_is_left_by_the_click_on_a_download_is_in_it():
    latest = LatestReport()
    latest.report = Report((), "old")

    def arrives():
        time.sleep(GRACE / 10)
        latest.report = Report((), "new")

    threading.Thread(target=arrives).start()
    assert latest.after_grace().title == "new"
