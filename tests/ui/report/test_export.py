"""A download holds what the visitor wrote last."""

import threading
import time

from camcore.report.document import Report
from ui.report.export import GRACE, Latest


def test_a_text_that_is_left_by_the_click_on_a_download_is_in_it():
    latest = Latest()
    latest.put(Report((), "old"))

    def arrives():
        time.sleep(GRACE / 10)
        latest.put(Report((), "new"))

    threading.Thread(target=arrives).start()
    assert latest.get().title == "new"
