"""The cache keeps its limits, lets go of the oldest, and is safe among threads."""

import threading

from camcore.cache import ByteLRU


def test_lets_go_of_the_least_recently_used_beyond_its_bytes() -> None:
    cache: ByteLRU[bytes] = ByteLRU(10, len)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert cache.get("b") is None
    assert cache.get("a") == b"1234"
    assert cache.bytes == 8


def test_keeps_the_newest_even_where_it_is_too_large() -> None:
    cache: ByteLRU[bytes] = ByteLRU(3, len)
    cache.put("a", b"12")
    cache.put("b", b"123456")
    assert cache.get("b") == b"123456"
    assert len(cache) == 1
    assert cache.bytes == 6


def test_counts_a_replaced_value_once() -> None:
    cache: ByteLRU[bytes] = ByteLRU(100, len)
    cache.put("a", b"123")
    cache.put("a", b"1")
    assert (len(cache), cache.bytes) == (1, 1)


def test_bounds_the_number_of_entries() -> None:
    cache: ByteLRU[bytes] = ByteLRU(100, len, count=2)
    for key in "abc":
        cache.put(key, b"1")
    assert cache.get("a") is None
    assert len(cache) == 2


def test_threads_leave_the_books_balanced() -> None:
    cache: ByteLRU[bytes] = ByteLRU(500, len)

    def work(seed: int) -> None:
        for n in range(300):
            cache.put((seed * n) % 37, bytes(n % 23))
            cache.get(n % 37)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = sum(len(cache.get(key) or b"") for key in range(37))
    assert cache.bytes == held <= 500
