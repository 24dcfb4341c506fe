from core.access import Access
from mailstore.search.index import index
from mailstore.search.indexer import Indexer
from mailstore.search.words import asked
from tests.mailstore.letters import letter, stored


def test_x(mine: Access, indexer: Indexer) -> None:
    stored(mine, letter("a", subject="采购合同", body="第二季度的报价单 Invoices"))
    stored(mine, letter("b", subject="hello", body="nothing"))
    assert indexer.drain() == 2
    for q in ["采购合同", "报价", "invoice", "第二季度的报价单", "王"]:
        assert index().hits(mine.mailbox, asked(q), low=0, high=1 << 62, limit=50), q
