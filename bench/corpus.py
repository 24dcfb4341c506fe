"""Generated mails of eight kilobytes: three of five in Chinese, text and HTML; message i depends on i alone."""

from __future__ import annotations

import base64
import quopri
import random

CHINESE = [
    "我们",
    "公司",
    "项目",
    "会议",
    "时间",
    "客户",
    "合同",
    "预算",
    "报告",
    "附件",
    "今天",
    "明天",
    "下周",
    "请",
    "查收",
    "谢谢",
    "部门",
    "经理",
    "同事",
    "文件",
    "数据",
    "系统",
    "问题",
    "解决",
    "方案",
    "进度",
    "安排",
    "确认",
    "回复",
    "通知",
    "关于",
    "产品",
    "市场",
    "销售",
    "采购",
    "财务",
    "人事",
    "技术",
    "支持",
    "服务",
    "质量",
    "测试",
    "上线",
    "计划",
    "目标",
    "完成",
    "需要",
    "参加",
    "地点",
    "会议室",
    "电话",
    "邮件",
    "已经",
    "可以",
    "如果",
    "因为",
    "所以",
    "但是",
    "以及",
    "或者",
    "修改",
    "意见",
    "建议",
    "审批",
    "流程",
    "申请",
    "发票",
    "付款",
    "订单",
    "物流",
    "仓库",
    "供应商",
    "上海",
    "北京",
    "深圳",
    "广州",
    "杭州",
]
ENGLISH = [
    "the",
    "project",
    "meeting",
    "schedule",
    "customer",
    "contract",
    "budget",
    "report",
    "attached",
    "today",
    "tomorrow",
    "week",
    "please",
    "review",
    "thanks",
    "department",
    "manager",
    "colleague",
    "document",
    "data",
    "system",
    "issue",
    "solution",
    "progress",
    "confirm",
    "reply",
    "notice",
    "product",
    "market",
    "sales",
    "purchase",
    "finance",
    "support",
    "service",
    "quality",
    "test",
    "release",
    "plan",
    "target",
    "need",
    "attend",
    "room",
    "phone",
    "mail",
    "already",
    "because",
    "therefore",
    "however",
    "change",
    "opinion",
    "approval",
    "invoice",
    "payment",
    "order",
    "delivery",
    "warehouse",
    "supplier",
    "deadline",
]
SENDERS = (
    ("王小明", "wang.xiaoming"),
    ("李芳", "li.fang"),
    ("陈建国", "chen.jianguo"),
    ("刘洋", "liu.yang"),
    ("John Miller", "john.miller"),
    ("Emma Clarke", "emma.clarke"),
    ("张伟", "zhang.wei"),
    ("Priya Nair", "priya.nair"),
)
TEXT_BYTES = 2_600
"""Of each part before encoding; with the HTML part about 8 KB on the wire."""


def letter(number: int, *, to: str = "user0@bench.test") -> bytes:
    """One message, CRLF throughout, no line that begins with a dot."""
    dice = random.Random(number)
    is_chinese = dice.random() < 0.6
    words, gap = (CHINESE, "") if is_chinese else (ENGLISH, " ")
    subject = gap.join(dice.choices(words, k=6))
    text = _text(dice, words, gap)
    html = "<html><body><p>" + text.replace("\n", "</p>\n<p>") + "</p></body></html>\n"
    name, local = dice.choice(SENDERS)
    boundary = f"=_part_{number:08x}"
    header = (
        f"From: {_word(name)} <{local}@partner{number % 50}.test>\r\nTo: <{to}>\r\nSubject: {_word(subject)}\r\n"
        f"Date: Mon, {1 + number % 28:02} Jun 2026 {number % 24:02}:{number % 60:02}:00 +0800\r\n"
        f"Message-ID: <{number}.{dice.getrandbits(48):x}@partner.test>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    parts = "".join(
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n{_encoded(content, is_base64=is_chinese)}"
        for kind, content in (("plain", text), ("html", html))
    )
    return f"{header}{parts}--{boundary}--\r\n".encode("ascii")


def _text(dice: random.Random, words: list[str] | tuple[str, ...], gap: str) -> str:
    pieces: list[str] = []
    size = 0
    while size < TEXT_BYTES:
        sentence = gap.join(dice.choices(words, k=dice.randint(8, 16))) + ("。" if not gap else ". ")
        pieces.append(sentence + ("\n" if dice.random() < 0.3 else ""))
        size += len(pieces[-1].encode())
    return "".join(pieces)


def _word(text: str) -> str:
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _encoded(content: str, *, is_base64: bool) -> str:
    if is_base64:
        body = base64.encodebytes(content.encode()).decode().replace("\n", "\r\n")
        return f"Content-Transfer-Encoding: base64\r\n\r\n{body}"
    body = quopri.encodestring(content.replace("\n", "\r\n").encode()).decode()
    body = body.replace("\r\n", "\n").replace("\n", "\r\n").replace("\r\n.", "\r\n=2E")
    return f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{body}"
