"""The demo company: a lighting exporter in Ningbo, its departments, people, shared mailbox and groups."""

from __future__ import annotations

import dataclasses

from django.db import transaction

from accounts.models import Account, Department, Domain, Group, MailboxGrant
from accounts.services import (
    add_alias,
    create_account,
    create_department,
    create_domain,
    create_group,
    grant_mailbox,
)
from core.access import system_access
from mailstore.services.folders import create_folder

DOMAIN = "example.test"
TITLE = "远航照明"
COLOUR = "#2f55d4"
PASSWORD = "globalmail-demo"
"""Of every account. It is printed and it is in the README: a demo is for the machine it was started on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the company; `signature` stands below his mails to the outside."""

    local_part: str
    name: str
    title: str
    department: str
    language: str = "zh-hans"
    time_zone: str = "Asia/Shanghai"
    role: str = Account.Role.MEMBER
    kind: str = Account.Kind.PERSON
    aliases: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    latin_name: str = ""

    @property
    def address(self) -> str:
        """In the demo's domain."""
        return f"{self.local_part}@{DOMAIN}"


DEPARTMENTS: tuple[tuple[str, str], ...] = (
    ("总经办", ""),
    ("外贸部", ""),
    ("欧美组", "外贸部"),
    ("亚太组", "外贸部"),
    ("采购物流部", ""),
    ("财务部", ""),
    ("行政人事部", ""),
    ("信息技术组", "行政人事部"),
)
"""Name and parent, parents first."""

COLLEAGUES: tuple[Colleague, ...] = (
    Colleague(
        *("wangfang", "王芳", "外贸部经理", "外贸部"),
        aliases=("fiona",),
        folders=("欧洲客户", "北美客户", "广交会", "广交会/样品"),
        latin_name="Fiona Wang",
    ),
    Colleague(
        *("liuwei", "刘伟", "总经理", "总经办"), aliases=("vincent",), folders=("董事会",), latin_name="Vincent Liu"
    ),
    Colleague(*("lina", "李娜", "业务主管", "亚太组"), folders=("日本客户", "台湾客户"), latin_name="Lina Li"),
    Colleague(
        *("emily", "Emily Carter", "Sales Manager, UK & Ireland", "欧美组", "en", "Europe/London"),
        aliases=("e.carter",),
        folders=("Retail chains", "Trade fairs"),
    ),
    Colleague(
        *("michael", "Michael Tan", "Quality Engineer", "采购物流部", "en", "Asia/Singapore"),
        folders=("Inspections",),
    ),
    Colleague(*("sunqiang", "孙强", "采购物流主管", "采购物流部"), folders=("货代", "工厂"), latin_name="Sam Sun"),
    Colleague(*("zhaomin", "赵敏", "财务主管", "财务部"), folders=("发票", "银行"), latin_name="Mindy Zhao"),
    Colleague(*("zhoujie", "周洁", "行政人事经理", "行政人事部"), latin_name="Joyce Zhou"),
    Colleague(*("admin", "陈静", "系统管理员", "信息技术组"), role=Account.Role.DOMAIN_ADMIN, aliases=("chenjing",)),
    Colleague(
        *("sales", "外贸询盘", "共享邮箱", "外贸部"),
        kind=Account.Kind.SHARED,
        folders=("已分派",),
        latin_name="Farvoyage Lighting Sales",
    ),
)
GRANTS = (
    ("sales", "wangfang", MailboxGrant.Level.SENDER),
    ("sales", "emily", MailboxGrant.Level.SENDER),
    ("sales", "lina", MailboxGrant.Level.EDITOR),
    ("sales", "liuwei", MailboxGrant.Level.READER),
)
"""Owner, who may use it, and how."""


def exists() -> bool:
    """Whether the demo's domain is there."""
    return Domain.objects.filter(name=DOMAIN).exists()


def accounts() -> dict[str, Account]:
    """The demo's accounts by local part."""
    found = Account.objects.filter(domain__name=DOMAIN).exclude(kind=Account.Kind.SYSTEM)
    return {account.local_part: account for account in found}


@transaction.atomic
def create() -> None:
    """Domain, departments, accounts, folders, grants and groups in one transaction."""
    domain = create_domain(DOMAIN, title=TITLE, brand_colour=COLOUR)
    departments: dict[str, Department] = {}
    for position, (name, parent) in enumerate(DEPARTMENTS):
        departments[name] = create_department(domain, name, parent=departments.get(parent), position=position)
    made = {each.local_part: _account(domain, each, departments[each.department]) for each in COLLEAGUES}
    for owner, grantee, level in GRANTS:
        grant_mailbox(made[owner], made[grantee], level)
    _groups(domain, departments, made)


def _account(domain: Domain, colleague: Colleague, department: Department) -> Account:
    is_shared = colleague.kind == Account.Kind.SHARED
    account = create_account(
        domain,
        colleague.local_part,
        name=colleague.name,
        password=None if is_shared else PASSWORD,
        title=colleague.title,
        department=department,
        language=colleague.language,
        time_zone=colleague.time_zone,
        role=colleague.role,
        kind=colleague.kind,
    )
    for alias in colleague.aliases:
        add_alias(account, alias)
    _folders(account, colleague.folders)
    return account


def _folders(account: Account, paths: tuple[str, ...]) -> None:
    access = system_access(account.pk)
    made: dict[str, int] = {"": 0}
    for path in paths:
        parent, _, name = path.rpartition("/")
        made[path] = create_folder(access, name, parent_id=made[parent])


def _groups(domain: Domain, departments: dict[str, Department], made: dict[str, Account]) -> None:
    create_group(domain, "trade", name="外贸部全体", kind=Group.Kind.DEPARTMENT, department=departments["外贸部"])
    create_group(
        domain,
        "canton-fair",
        name="广交会筹备组",
        description="展位、样品和行程",
        members=[made[name] for name in ("wangfang", "lina", "emily", "sunqiang")],
        externals=["booth@stagecraft.example.net"],
        posting=Group.Posting.ANYONE,
    )
    create_group(
        domain,
        "orders",
        name="订单跟进",
        members=[made[name] for name in ("wangfang", "sunqiang", "zhaomin", "michael")],
    )
