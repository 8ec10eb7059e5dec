"""The few words on labels, in both languages. Warnings of a Chinese label keep their English beside them."""

from datetime import datetime
from typing import Final

from labels.facts import Infection, LabelLanguage, Use

EN: Final = LabelLanguage.ENGLISH
ZH: Final = LabelLanguage.CHINESE

_WORDS: Final = {
    "cells": (" cells", " 细胞"),
    "frozen": ("Frozen", "冻存"),
    "seeded": ("Seeded", "接种"),
    "taken": ("Taken", "取样"),
    "collected": ("Collected", "采集"),
    "expires": ("Expires", "有效期至"),
    "no_expiry": ("no expiry is stated", "未注明有效期"),
    "donor": ("Donor", "供者"),
    "recipient": ("Recipient", "受者"),
    "passage": ("Passage", "代次"),
    "volume": ("Volume", "体积"),
    "storage": ("Store at", "贮存"),
    "supplier_lot": ("Supplier lot", "供应商批号"),
    "container": ("Container", "容器"),
    "issued": ("Issued", "发放"),
    "starting_material": ("Retain: starting", "留样：起始物料"),
    "final_product": ("Retain: final", "留样：终产品"),
    "reagent": ("REAGENT RETAIN", "试剂留样 REAGENT"),
    "quarantine": ("QUARANTINE UNTIL ELIGIBILITY IS DETERMINED", "供者合格判定前隔离 QUARANTINE"),
    "irradiate": ("Do not irradiate", "请勿辐照"),
    "research": ("For clinical research use only", "仅供临床研究使用"),
    "shelf": ("Shelf", "搁架"),
    "position": ("Position", "存放位置"),
    "badge": ("Staff badge", "工作证"),
    "status": ("Status: scan the code", "状态：请扫码查询"),
    "workstation": ("Workstation", "操作台"),
    "incubator": ("Incubator", "培养箱"),
    "freezer": ("Freezer", "冰箱"),
    "tank": ("Tank", "液氮罐"),
    "balance": ("Balance", "天平"),
    "cell_counter": ("Cell counter", "细胞计数仪"),
    "printer": ("Label printer", "标签打印机"),
    "other": ("Equipment", "设备"),
}
_USE: Final = {
    Use.AUTOLOGOUS: ("FOR AUTOLOGOUS USE ONLY", "仅限自体使用 AUTOLOGOUS"),
    Use.ALLOGENEIC: ("ALLOGENEIC", "异体 ALLOGENEIC"),
}
_INFECTION: Final = {
    Infection.BIOHAZARD: ("BIOHAZARD: reactive infection marker", "生物危害：感染标志物阳性 BIOHAZARD"),
    Infection.NOT_EVALUATED: ("NOT EVALUATED FOR INFECTIOUS SUBSTANCES", "未完成感染性物质评估 NOT EVALUATED"),
}
_SHORT: Final = {
    (Use.AUTOLOGOUS, Infection.NEGATIVE): _USE[Use.AUTOLOGOUS],
    (Use.ALLOGENEIC, Infection.NEGATIVE): _USE[Use.ALLOGENEIC],
    (Use.AUTOLOGOUS, Infection.BIOHAZARD): ("AUTOLOGOUS BIOHAZARD", "仅限自体 生物危害 BIOHAZARD"),
    (Use.ALLOGENEIC, Infection.BIOHAZARD): ("ALLOGENEIC BIOHAZARD", "异体 生物危害 BIOHAZARD"),
    (Use.AUTOLOGOUS, Infection.NOT_EVALUATED): ("AUTOLOGOUS NOT EVALUATED", "仅限自体 未做感染评估"),
    (Use.ALLOGENEIC, Infection.NOT_EVALUATED): ("ALLOGENEIC NOT EVALUATED", "异体 未做感染评估"),
}


def word(name: str, language: LabelLanguage) -> str:
    """Return one of the words above."""
    return _of(_WORDS[name], language)


def kind_word(kind: str, language: LabelLanguage) -> str:
    """Return a kind of equipment in words; a kind that is not known is equipment."""
    return word(kind if kind in _WORDS else "other", language)


def use_words(use: Use, language: LabelLanguage) -> str:
    """Return whom the cells are for."""
    return _of(_USE[use], language)


def infection_words(infection: Infection, language: LabelLanguage) -> str | None:
    """Return the warning that the donor's markers call for, or None."""
    return None if infection is Infection.NEGATIVE else _of(_INFECTION[infection], language)


def short_warning(use: Use, infection: Infection, language: LabelLanguage) -> str:
    """Return use and warning for the foot of a tube."""
    return _of(_SHORT[use, infection], language)


def copy_words(copy: int, language: LabelLanguage) -> str:
    """Return what tells a reprint from the label that it voids; nothing for the first."""
    if copy < 2:
        return ""
    return _of((f"copy {copy}", f"第{copy}份"), language)


def short_copy(copy: int, language: LabelLanguage) -> str:
    """Return the same for a tube: c.2 as libraries write it."""
    if copy < 2:
        return ""
    return _of((f"c.{copy}", f"第{copy}份"), language)


def labelled(name: str, value: str, language: LabelLanguage) -> str:
    """Return a word and its value: ``Donor DN-0007``."""
    return f"{word(name, language)} {value}"


def hazard(infection: Infection, language: LabelLanguage) -> str:
    """Return the warning that the biohazard sign goes with, or nothing."""
    return _of(_INFECTION[infection], language) if infection is Infection.BIOHAZARD else ""


def clock(value: datetime) -> str:
    """Return the time of day to the minute with its offset from UTC."""
    return minute(value).split(" ", 1)[1]


def minute(value: datetime) -> str:
    """Return a moment to the minute with its offset from UTC, which a label that travels must say."""
    offset = value.strftime("%z").replace("-", "−")
    return f"{value:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:]}"


def _of(both: tuple[str, str], language: LabelLanguage) -> str:
    return both[0] if language is EN else both[1]
