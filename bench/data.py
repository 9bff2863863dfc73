"""User records as NDJSON, about 265 bytes a line: the same bytes on every machine and Python.

    python3 data.py LINES OUT

Only `getrandbits` is drawn from, whose sequence Python keeps stable; `choice` and the like it does not. Most of a
line is picked from tables made once, so that a million lines take seconds, not a minute. A shorter file is the
beginning of a longer one. One e-mail in 97 is invalid; text beyond ASCII and escapes occur on purpose.
"""
import json
import random
import shutil
import sys
from unicodedata import normalize

SEED = 20240229
LINES_A_WRITE = 10_000

GIVEN = "Amália Bento Clara Davi Elisa Fausto Graça Hélio Inês Joaquim Lívia Mateus Noêmia Otávio Rui".split()
FAMILY = "Araújo Bastos Carvalho Duarte Esteves Figueira Gonçalves Leitão Macedo Nogueira Pinheiro Queirós".split()
FIRMS = ["Fábrica do Porto", "Moinho \"Boa Hora\"", "Tecidos & Fios", "Estaleiro Norte\\Sul", "Vidro S.A."]
STREETS = ["Rua da Esteira", "Avenida Brasil", "Travessa do Moinho", "Largo das Oficinas", "Praça da Estação"]
TOWNS = ["São Paulo", "Belém", "Coimbra", "Recife", "Évora", "Porto Alegre", "Luanda", "Maputo"]
TAGS = ["new", "vip", "beta", "mail", "churn", "import", "manual"]


def users(path, lines):
    """Writes `lines` records to `path`."""
    bits = random.Random(SEED).getrandbits
    people, places, histories = tables(bits)
    with open(path, "wb") as out:
        for first in range(1, lines + 1, LINES_A_WRITE):
            block = []
            for number in range(first, min(first + LINES_A_WRITE, lines + 1)):
                draw = bits(128)
                block.append('{"id":%d,%s%d%sexample.com","password":"%016x",%s,%s}\n' % (
                    number, people[draw & 1023], number, "@" if draw % 97 else "#", draw >> 64,
                    places[draw >> 10 & 1023], histories[draw >> 20 & 1023]))
            out.write("".join(block).encode())


def tables(bits):
    """A thousand beginnings, middles and ends of a record, as JSON text."""
    def pick(words):
        return words[bits(16) % len(words)]

    def inside(record):
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))[1:-1]

    people, places, histories = [], [], []
    for _ in range(1024):
        given, family = pick(GIVEN), pick(FAMILY)
        mailbox = normalize("NFKD", "%s.%s" % (given, family)).encode("ascii", "ignore").decode().lower()
        people.append(inside({"name": "%s %s" % (given, family), "email": mailbox})[:-1])  # the quote stays open
        street = "%s %d" % (pick(STREETS), bits(10))
        address = {"street": street, "city": pick(TOWNS), "zip": "%05d" % bits(16)}
        places.append(inside({"company": pick(FIRMS), "age": 18 + bits(6), "address": address}))
        day = "20%02d-%02d-%02d" % (bits(4) + 10, bits(8) % 12 + 1, bits(8) % 28 + 1)
        histories.append(inside({"tags": [pick(TAGS) for _ in range(bits(2))], "created": day}))
    return people, places, histories


def repeat(block, times, path):
    """Writes `block` `times` times over: large files at the speed of a copy."""
    with open(path, "wb") as out:
        for _ in range(times):
            with open(block, "rb") as one:
                shutil.copyfileobj(one, out, 1 << 20)


if __name__ == "__main__":
    users(sys.argv[2], int(sys.argv[1]))
