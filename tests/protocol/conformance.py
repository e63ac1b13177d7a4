"""What HTTP/1.1 asks of a server, as bytes and answers: the rows of test_http_conformance.py.

A row is a name, the section that wants it so (a bare number is of RFC 9112, one with a letter before it of 9110), the
bytes, the answers in order, and whether the connection goes on. An answer is a status, and the code of the error
document if there is one; "200 HEAD" is the answer to a HEAD, which has no body. Behind every row that goes on, or
that must not, another request is sent: it is answered, or it must not be.

The requests ask for /-/health, which needs no signature. {host} is the server's own name and port; {get}, {put},
{head} and {delete} are targets of presigned URLs of the object "row", {other} of one of "other", and {chunked} is the head of a signed upload,
up to its framing, whose body is {body}: five bytes with a trailer, as aws-chunked has it.
"""
import typing

KEEP, CLOSE, CUT = "keep", "close", "cut"  # CUT: the client ends in the middle; nothing may succeed
H = "Host: h\r\n"
CRLF = "\r\n"


class Row(typing.NamedTuple):
    name: str
    section: str
    request: bytes
    answers: list
    keeps: str


ROWS = []


def row(name, section, request, answers, keeps=None):
    """keeps: by itself, an answer of 2xx, 3xx or of a resource goes on, and a refusal of the head does not."""
    answers = answers.split(", ")
    if keeps is None:
        keeps = KEEP if answers[-1].split()[0] in ("200", "204", "206", "304", "403", "404", "405", "412", "416") else CLOSE
    assert all(row.name != name for row in ROWS), name
    ROWS.append(Row(name, section, request if isinstance(request, bytes) else request.encode("latin-1"), answers, keeps))


def get(headers="", host=H, line="GET /-/health HTTP/1.1"):
    return line + CRLF + host + headers + CRLF


def bad(name, section, request, code="BadRequest", status=400):
    row(name, section, request, f"{status} {code}", CLOSE)


def bad_header(name, section, headers, body=""):
    bad(name, section, get(headers) + body)


# ---- The line of a request

row("a plain request", "2.1", get(), "200")
row("an empty line before it", "2.2", CRLF + get(), "200")
row("two empty lines before it", "2.2", CRLF * 2 + get(), "200")
row("two requests at once", "9.3.2", get() + get(), "200, 200")
row("three requests, answered in order", "9.3.2",
    get() + get(line="GET /-/nothing HTTP/1.1") + get(line="HEAD /-/health HTTP/1.1"), "200, 404 NotFound, 200 HEAD")
for name, line in {
        "no version": "GET /-/health",
        "a space and no version": "GET /-/health ",
        "no target": "GET HTTP/1.1",
        "two spaces before the target": "GET  /-/health HTTP/1.1",
        "two spaces behind the target": "GET /-/health  HTTP/1.1",
        "a space behind the version": "GET /-/health HTTP/1.1 ",
        "a space before the method": " GET /-/health HTTP/1.1",
        "a tab before the target": "GET\t/-/health HTTP/1.1",
        "a tab behind the target": "GET /-/health\tHTTP/1.1",
        "a vertical tab for a space": "GET\x0b/-/health HTTP/1.1",
        "a form feed for a space": "GET\x0c/-/health HTTP/1.1",
        "a space in the target": "GET /-/hea lth HTTP/1.1",
        "a NUL in the target": "GET /-/health\0 HTTP/1.1",
        "an escape in the target": "GET /-/health\x1b HTTP/1.1",
        "a DEL in the target": "GET /-/health\x7f HTTP/1.1",
        "a CR in the target": "GET /-/hea\rlth HTTP/1.1",
        "a fragment": "GET /-/health#fragment HTTP/1.1",
        "a fragment in a long target": "GET /-/health?" + "a" * 20 + "#" + "b" * 20 + " HTTP/1.1",
        "a word too many": "GET /-/health extra HTTP/1.1",
        "no method": "/-/health HTTP/1.1",
        "a method with a colon": "GET: /-/health HTTP/1.1",
        "a method with a parenthesis": "G(T /-/health HTTP/1.1",
        "a method with a NUL": "G\0T /-/health HTTP/1.1",
        "a method that is not ASCII": "G\xcbT /-/health HTTP/1.1",
}.items():
    bad(name, "3", get(line=line))
for name, version in {
        "a version in small letters": "http/1.1", "a version of mixed letters": "Http/1.1", "no minor version": "HTTP/1",
        "a dot and no minor version": "HTTP/1.", "two digits of minor version": "HTTP/1.10",
        "two digits of major version": "HTTP/01.1", "a comma for a dot": "HTTP/1,1", "no slash": "HTTP1.1",
        "a space in the version": "HTTP/1. 1", "another protocol": "HTTPS/1.1", "a signed version": "HTTP/+1.1",
        "a version of letters": "HTTP/a.b", "a version with a NUL": "HTTP/1.1\0"}.items():
    bad(name, "2.3", get(line=f"GET /-/health {version}"))
for version in ("0.9", "2.0", "3.0", "9.9"):
    bad(f"HTTP/{version}", "R15.6.6", get(line=f"GET /-/health HTTP/{version}"), status=505)
row("a later minor version", "R2.5", get(line="GET /-/health HTTP/1.2"), "200")
bad("the preface of HTTP/2", "R15.6.6", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status=505)
bad("a TLS client's first bytes", "2.2", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xa5" * 32)
bad("a socks client's first bytes", "2.2", b"\x05\x01\x00\x00\x00\x00")
bad("nothing but blanks", "2.2", "   \r\n\r\n")
bad("many empty lines", "2.2", CRLF * 20)
bad("an empty line of LF", "2.2", "\n" + get())
bad("a CR before it", "2.2", "\r" + get())
bad("a long method", "3", get(line="A" * 40 + " /-/health HTTP/1.1"), "NotImplemented", 501)
row("a target of 8,000 bytes", "3", get(line="GET /-/nothing/" + "a" * 7980 + " HTTP/1.1"), "404 NotFound")
bad("a target that is too long", "3", get(line="GET /" + "a" * 17_000 + " HTTP/1.1"), "InvalidURI", 414)
bad("a target without an end", "3", "GET /" + "a" * 60_000, "InvalidURI", 414)

# ---- Forms of the target

row("absolute form", "3.2.2", get(line="GET http://h/-/health HTTP/1.1"), "200")
row("absolute form of https", "3.2.2", get(line="GET https://h/-/health?a=b HTTP/1.1"), "200")
row("absolute form in large letters", "3.2.2", get(line="GET HTTP://H/-/health HTTP/1.1"), "200")
row("absolute form with a port", "3.2.2", get(line="GET http://h:80/-/health HTTP/1.1", host="Host: h:80\r\n"), "200")
row("absolute form without a path", "3.2.2", get(line="GET http://h HTTP/1.1"), "403 AccessDenied")
row("absolute form with a query and no path", "3.2.2", get(line="GET http://h?a HTTP/1.1"), "403 AccessDenied")
row("absolute form in HTTP/1.0", "3.2.2", get(line="GET http://h/-/health HTTP/1.0", host=""), "200", CLOSE)
bad("absolute form of another host", "3.2", get(line="GET http://other/-/health HTTP/1.1"))
bad("absolute form of another port", "3.2", get(line="GET http://h:81/-/health HTTP/1.1"))
bad("absolute form with a user", "R4.2.4", get(line="GET http://user@h/-/health HTTP/1.1"))
bad("absolute form without a host", "R4.2.1", get(line="GET http:///-/health HTTP/1.1"))
bad("absolute form without Host", "3.2", get(line="GET http://h/-/health HTTP/1.1", host=""))
bad("another scheme", "3.2.2", get(line="GET ftp://h/-/health HTTP/1.1"))
bad("a scheme without slashes", "3.2.2", get(line="GET http:h HTTP/1.1"))
bad("a relative target", "3.2", get(line="GET health HTTP/1.1"))
bad("an authority as a target", "3.2.3", get(line="GET h:80 HTTP/1.1"))
bad("CONNECT", "3.2.3", get(line="CONNECT h:443 HTTP/1.1"))
bad("an asterisk for GET", "3.2.4", get(line="GET * HTTP/1.1"))
bad("an asterisk and more", "3.2.4", get(line="OPTIONS *a HTTP/1.1"))
row("OPTIONS of the whole server", "3.2.4", get(line="OPTIONS * HTTP/1.1"), "200")
row("OPTIONS with a body", "R9.3.7", get("Content-Length: 5\r\n", line="OPTIONS * HTTP/1.1") + "hello", "200")
row("a method that nobody knows", "R9.1", get(line="FROB /-/health HTTP/1.1"), "405 MethodNotAllowed")
row("a method that an address of the API does not have", "R15.5.6", get(line="DELETE /-/api/openapi.json HTTP/1.1"), "405")
row("a method in small letters", "R9.1", get(line="get /-/health HTTP/1.1"), "405 MethodNotAllowed")
row("TRACE", "R9.3.8", get(line="TRACE /-/health HTTP/1.1"), "405 MethodNotAllowed")
row("HEAD has no body", "R9.3.2", get(line="HEAD /-/health HTTP/1.1"), "200 HEAD")
row("HEAD of what is not there", "R9.3.2", get(line="HEAD /-/nothing HTTP/1.1"), "404 HEAD")
row("HEAD with a body", "R9.3.2", get("Content-Length: 5\r\n", line="HEAD /-/health HTTP/1.1") + "hello", "200 HEAD")
bad("HEAD that is refused", "R9.3.2", get("A : b\r\n", line="HEAD /-/health HTTP/1.1"), "HEAD")

# ---- Lines of headers

row("a tab before a value", "R5.6.3", get("X-A:\tb\r\n"), "200")
row("no space before a value", "R5.6.3", get("X-A:b\r\n"), "200")
row("blanks around a value", "R5.6.3", get("X-A: \t b \t\r\n"), "200")
row("an empty value", "R5.5", get("X-A:\r\n"), "200")
row("a value of blanks", "R5.5", get("X-A:   \r\n"), "200")
row("a value beyond ASCII", "R5.5", get("X-A: \xff\xc3\xbc\r\n"), "200")
row("every character of a token", "R5.6.2", get("!#$%&'*+-.^_`|~09azAZ: b\r\n"), "200")
row("names in any case", "R5.1", get(host="hOsT: h\r\n"), "200")
row("a colon in a value", "5", get("X-A: :b:c\r\n"), "200")
row("a name with an underscore is another name", "5.1", get("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n"), "200")
for name, section, line in [
        ("a space before the colon", "5.1", "X-A : b\r\n"), ("a tab before the colon", "5.1", "X-A\t: b\r\n"),
        ("a space before the colon of a length", "5.1", "Content-Length : 5\r\n"),
        ("a tab in a name", "5.1", "X\tA: b\r\n"), ("a space in a name", "5.1", "X A: b\r\n"),
        ("no name", "5", ": b\r\n"), ("no colon", "5", "nonsense\r\n"), ("a bracket in a name", "R5.1", "X[A]: b\r\n"),
        ("a slash in a name", "R5.1", "X/A: b\r\n"), ("a quote in a name", "R5.1", "X\"A: b\r\n"),
        ("an at sign in a name", "R5.1", "X@A: b\r\n"), ("a brace in a name", "R5.1", "X{A}: b\r\n"),
        ("a NUL in a name", "R5.1", "X\0A: b\r\n"), ("a CR in a name", "R5.1", "X\rA: b\r\n"),
        ("a name beyond ASCII", "R5.1", "X\xe4A: b\r\n"), ("a DEL in a name", "R5.1", "X\x7fA: b\r\n"),
        ("a NUL in a value", "R5.5", "X-A: b\0c\r\n"), ("a NUL at the end of a value", "R5.5", "X-A: b\0\r\n"),
        ("a BEL in a value", "R5.5", "X-A: b\x07\r\n"), ("an escape in a value", "R5.5", "X-A: \x1b[31m\r\n"),
        ("a DEL in a value", "R5.5", "X-A: b\x7f\r\n"), ("a vertical tab in a value", "R5.5", "X-A: \x0bb\r\n"),
        ("a form feed in a value", "R5.5", "X-A: \x0cb\r\n"), ("a bare CR in a value", "2.2", "X-A: b\rc\r\n"),
        ("a bare CR at the start of a line", "2.2", "\rX-A: b\r\n"), ("two CR at the end", "2.2", "X-A: b\r\r\n"),
        ("a bare CR for an end of line", "2.2", "X-A: b\rX-B: c\r\n"),
        ("a bare LF for an end of line", "2.2", "X-A: b\nX-B: c\r\n"), ("a bare LF behind a name", "2.2", "X-A\nX-B: c\r\n"),
        ("LF CR for an end of line", "2.2", "X-A: b\n\rX-B: c\r\n"), ("an empty line of LF alone", "2.2", "X-A: b\r\n\n"),
        ("a folded line", "5.2", "X-A: b\r\n c\r\n"), ("a line folded with a tab", "5.2", "X-A: b\r\n\tc\r\n"),
        ("a line folded twice", "5.2", "X-A: b\r\n c\r\n d\r\n"), ("an empty folded line", "5.2", "X-A: b\r\n \r\n"),
        ("a folded name", "5.2", "X-A\r\n : b\r\n"), ("a folded length", "5.2", "Content-Length:\r\n 5\r\n"),
        ("a folded coding", "5.2", "Transfer-Encoding:\r\n chunked\r\n"),
        ("a header hidden in a folded line", "5.2", "X-A: b\r\n Content-Length: 5\r\n")]:
    bad_header(name, section, line)
bad("white space before the first header", "2.2", get(host=" \r\n" + H))
bad("a first header that begins with a space", "2.2", get(host=" " + H))
bad("LF for every line", "2.2", get().replace("\r", ""))
bad("CR for every line", "2.2", get().replace("\n", ""))
bad("CR behind the request line", "2.2", get().replace("HTTP/1.1\r\n", "HTTP/1.1\r"))
bad("LF behind the request line", "2.2", get().replace("HTTP/1.1\r\n", "HTTP/1.1\n"))
bad("a header of 9 KiB", "R5.4", get("X-A: " + "a" * 9216 + "\r\n"), "RequestHeaderSectionTooLarge")
bad("a header without an end", "R5.4", get("X-A: " + "a" * 60_000), "RequestHeaderSectionTooLarge")
bad("a name of 9 KiB", "R5.4", get("a" * 9216 + ": b\r\n"), "RequestHeaderSectionTooLarge")
bad("very many headers", "R5.4", get("X-A: b\r\n" * 200), "RequestHeaderSectionTooLarge")
row("many headers", "R5.4", get("X-A: b\r\n" * 100), "200")
row("a section of nearly 8 KiB", "R5.4", get("X-A: " + "a" * 8000 + "\r\n"), "200")

# ---- Host

row("no Host in HTTP/1.0", "3.2", get(line="GET /-/health HTTP/1.0", host=""), "200", CLOSE)
row("a Host with a port", "R7.2", get(host="Host: h:9000\r\n"), "200")
row("a Host with an empty port", "R7.2", get(host="Host: h:\r\n"), "200")
row("a Host that is an address", "R7.2", get(host="Host: 127.0.0.1:80\r\n"), "200")
row("a Host that is an IPv6 address", "R7.2", get(host="Host: [::1]:80\r\n"), "200")
row("a Host with an underscore", "R7.2", get(host="Host: a_b.c-d.example\r\n"), "200")
for name, host in {
        "no Host": "", "two Hosts": H + "Host: i\r\n", "the same Host twice": H + H, "two Hosts in other letters": H + "HOST: i\r\n",
        "an empty Host": "Host:\r\n", "a Host of blanks": "Host:   \r\n", "a Host with a user": "Host: user@h\r\n",
        "a Host with a path": "Host: h/path\r\n", "a Host with a scheme": "Host: http://h\r\n", "a Host that is a list": "Host: h, i\r\n",
        "a Host with a comma": "Host: h,i\r\n", "a Host with a space": "Host: h i\r\n", "a Host with a tab": "Host: h\ti\r\n",
        "a Host with a query": "Host: h?a\r\n", "a Host with a fragment": "Host: h#a\r\n", "a Host with a backslash": "Host: h\\i\r\n",
        "a Host with a quote": "Host: \"h\"\r\n", "a Host beyond ASCII": "Host: \xc3\xbc\r\n", "a Host with a port of letters": "Host: h:http\r\n",
        "a Host with a large port": "Host: h:65536\r\n", "a Host with a negative port": "Host: h:-1\r\n", "a Host with two ports": "Host: h:80:81\r\n",
        "a Host of a port alone": "Host: :80\r\n", "a Host with half a bracket": "Host: [::1\r\n", "a Host with text behind a bracket": "Host: [::1]i\r\n",
        "a Host with an angle": "Host: <h>\r\n"}.items():
    bad(name, "3.2", get(host=host))

# ---- Content-Length

row("a body of a GET", "6.2", get("Content-Length: 5\r\n") + "hello", "200")
row("a length of 0", "6.2", get("Content-Length: 0\r\n"), "200")
row("zeros before a length", "R8.6", get("Content-Length: 0005\r\n") + "hello", "200")
row("blanks around a length", "R5.6.3", get("Content-Length: \t 5 \r\n") + "hello", "200")
row("a POST without a length has no body", "6.3", get(line="POST /-/health HTTP/1.1"), "405 MethodNotAllowed")
row("a POST with a body", "6.2", get("Content-Length: 5\r\n", line="POST /-/health HTTP/1.1") + "hello", "405 MethodNotAllowed")
row("a body that looks like a request", "6.3", get(f"Content-Length: {len(get())}\r\n") + get(), "200")
for name, value in {
        "a length of letters": "abc", "an empty length": "", "a length with a plus": "+5", "a negative length": "-5",
        "a length of minus zero": "-0", "a hexadecimal length": "0x5", "an octal length": "0o5", "a length with an underscore": "1_0",
        "a length with a space": "5 5", "a length with a dot": "5.0", "a length with an exponent": "5e0", "a list of equal lengths": "5, 5",
        "a list of lengths": "5, 6", "a length and a comma": "5,", "a quoted length": "\"5\"", "a length with a semicolon": "5;a",
        "a length with a tab": "5\t5", "a length beyond 2^63": "9223372036854775808",
        "a length of 2^64": "18446744073709551616", "a length of 2^64 and 5": "18446744073709551621",
        "a length of 100 digits": "5" * 100}.items():
    bad(name, "6.3", get(f"Content-Length: {value}\r\n") + "hello")
bad("a length with a NUL", "6.3", get("Content-Length: 5\x001\r\n") + "hello")
bad("two lengths", "6.3", get("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello")
bad("the same length twice", "6.3", get("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello")
bad("the same length twice in other letters", "6.3", get("Content-Length: 5\r\ncontent-length: 5\r\n") + "hello")
bad("two lengths with others between", "6.3", get("Content-Length: 5\r\nX-A: b\r\nContent-Length: 0\r\n") + "hello")

# ---- Transfer-Encoding

END = "0\r\n\r\n"
HELLO = "5\r\nhello\r\n" + END


def upload(body):
    """The chunks of a signed upload: its own bytes for "5" and "hello"."""
    return "{chunked}Transfer-Encoding: chunked\r\n\r\n" + body.replace("5", "{size}").replace("hello", "{body}")


def chunked(body, value="chunked", more="", line="GET /-/health HTTP/1.1"):
    return get(f"Transfer-Encoding: {value}\r\n" + more, line=line) + body


row("a body in chunks", "7.1", chunked(HELLO), "200")
row("an empty body in chunks", "7.1", chunked(END), "200")
row("several chunks", "7.1", chunked("1\r\nh\r\n4\r\nello\r\n" + END), "200")
row("a hexadecimal size", "7.1", chunked("a\r\n0123456789\r\n" + END), "200")
row("a size in large letters", "7.1", chunked("A\r\n0123456789\r\n" + END), "200")
row("zeros before a size", "7.1", chunked("0005\r\nhello\r\n000\r\n\r\n"), "200")
row("an extension", "7.1.1", chunked("5;name=value\r\nhello\r\n0;last\r\n\r\n"), "200")
row("extensions", "7.1.1", chunked("5;a;b=c;d=\"e; \\\" f\"\r\nhello\r\n" + END), "200")
row("a trailer", "7.1.2", chunked("5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"), "200")
row("a trailer that nobody announced may not frame", "R6.5.1",
    chunked("5\r\nhello\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: gzip\r\nHost: other\r\n\r\n"), "200")
row("a trailer may not authorise", "R6.5.1", chunked("0\r\nAuthorization: Bearer x\r\n\r\n", line="GET / HTTP/1.1"), "403 AccessDenied")
row("chunks that hold a request", "7.1", chunked(f"{len(get()):x}\r\n{get()}\r\n" + END), "200")
row("chunks that hold chunks", "7.1", chunked(f"{len(HELLO):x}\r\n{HELLO}\r\n" + END), "200")
row("chunked in any case", "7", chunked(HELLO, "ChUnKeD"), "200")
row("the name in any case", "R5.1", get("TRANSFER-encoding: chunked\r\n") + HELLO, "200")
row("a tab before chunked", "R5.6.3", get("Transfer-Encoding:\tchunked\r\n") + HELLO, "200")
row("blanks behind chunked", "R5.6.3", chunked(HELLO, "chunked \t"), "200")
row("two requests in chunks", "9.3.2", chunked(HELLO) + chunked(HELLO), "200, 200")
for name, value in {
        "chunked twice in a list": "chunked, chunked", "chunked and then identity": "chunked, identity", "identity": "identity",
        "chunked and then gzip": "chunked, gzip", "gzip alone": "gzip", "xchunked": "xchunked", "chunkedx": "chunkedx", "a quoted coding": "\"chunked\"",
        "a coding in single quotes": "'chunked'", "a coding with a parameter": "chunked;a=b", "a coding with a semicolon": "chunked;",
        "no coding": "", "a comma before chunked": ",chunked", "a comma behind chunked": "chunked,", "a coding in brackets": "[chunked]",
        "two words": "chunked chunked", "a coding with a colon": ": chunked", "a coding with a plus": "chunked+", "cow": "cow", "a coding with a slash": "chunked/1",
        "a coding with a space in it": "chun ked"}.items():
    bad(name, "6.3", chunked(HELLO, value))
for name, byte in {"a NUL": "\0", "a vertical tab": "\x0b", "a form feed": "\x0c", "a DEL": "\x7f", "a backspace": "\x08"}.items():
    bad(f"{name} before chunked", "R5.5", chunked(HELLO, byte + "chunked"))
    bad(f"{name} behind chunked", "R5.5", chunked(HELLO, "chunked" + byte))
bad("a byte beyond ASCII behind chunked", "6.3", chunked(HELLO, "chunked\xa0"))
bad("gzip and then chunked", "6.1", chunked(HELLO, "gzip, chunked"), "NotImplemented", 501)
bad("identity and then chunked", "6.1", chunked(HELLO, "identity, chunked"), "NotImplemented", 501)
bad("chunked twice", "6.3", chunked(HELLO, more="Transfer-Encoding: chunked\r\n"))
bad("chunked, and identity in its own line", "6.3", chunked(HELLO, more="Transfer-Encoding: identity\r\n"))
bad("another coding before chunked, in its own line", "6.3", chunked(HELLO, "cow", "Transfer-Encoding: chunked\r\n"))
bad("an empty coding before chunked, in its own line", "6.3", chunked(HELLO, "", "Transfer-Encoding: chunked\r\n"))
bad("chunked with a space before the colon", "5.1", get("Transfer-Encoding : chunked\r\n") + HELLO)
bad("chunked in HTTP/1.0", "6.1", chunked(HELLO, line="GET /-/health HTTP/1.0"))
bad("chunked and a length in HTTP/1.0", "6.1", chunked(HELLO, more="Content-Length: 15\r\n", line="GET /-/health HTTP/1.0"))

# ---- Both, and other ways of smuggling a request

INNER = get()
for name, request in {
        "CL.TE": get("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n") + END + "G",
        "CL.TE with a whole request": get(f"Content-Length: {len(END + INNER)}\r\nTransfer-Encoding: chunked\r\n") + END + INNER,
        "TE.CL": get("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n") + f"{len(INNER):x}\r\n{INNER}\r\n" + END,
        "a length of 0 and chunked": get("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") + HELLO,
        "chunked and an equal length": get(f"Transfer-Encoding: chunked\r\nContent-Length: {len(HELLO)}\r\n") + HELLO,
        "chunked between two lengths": get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n") + HELLO,
        "TE.TE with identity": get("Transfer-Encoding: identity\r\nContent-Length: 5\r\n") + "hello",
        "TE.TE with xchunked": get("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n") + "hello",
        "TE.TE with a folded line": get("Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n") + "hello",
        "TE.TE with a space": get("Content-Length: 5\r\nTransfer-Encoding : chunked\r\n") + "hello",
        "TE.TE in a line that begins with a space": get("Content-Length: 5\r\n Transfer-Encoding: chunked\r\n") + "hello",
        "TE.TE behind a bare LF": get("Content-Length: 5\r\nX: a\nTransfer-Encoding: chunked\r\n") + "hello",
        "TE.TE behind a bare CR": get("Content-Length: 5\r\nX: a\rTransfer-Encoding: chunked\r\n") + "hello",
        "TE.TE behind a NUL": get("Content-Length: 5\r\n\0Transfer-Encoding: chunked\r\n") + "hello",
        "TE.TE with a list that begins with a comma": get("Content-Length: 5\r\nTransfer-Encoding: , chunked\r\n") + "hello",
        "TE.TE with two CR": get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\r\n") + "hello",
        "CL.TE with a signed length": get(f"Content-Length: +{len(END + INNER)}\r\nTransfer-Encoding: chunked\r\n") + END + INNER,
        "CL.TE with a length of letters": get("Content-Length: 5x\r\nTransfer-Encoding: chunked\r\n") + END + INNER,
        "CL.TE with a folded line": get(f"Content-Length: {len(END + INNER)}\r\nTransfer-Encoding:\r\n chunked\r\n") + END + INNER,
        "CL.TE with a blank at the end": get(f"Content-Length: {len(END + INNER)}\r\nTransfer-Encoding: chunked \r\n") + END + INNER,
        "CL.TE with a comma": get(f"Content-Length: {len(END + INNER)}\r\nTransfer-Encoding: , chunked\r\n") + END + INNER,
        "CL.TE with a HEAD": get(f"Content-Length: {len(END + INNER) + 1}\r\nTransfer-Encoding: chunked\r\n") + END + INNER.replace("GET", "HEAD"),
        "CL.TE of OPTIONS": get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", line="OPTIONS * HTTP/1.1") + END + INNER,
        "TE.CL with what is left": get("Transfer-Encoding: chunked\r\nContent-Length: 30\r\n") + END + "X" * 25,
        "a length behind a bare CR": get("X-A: b\rContent-Length: 5\r\n") + "hello"}.items():
    bad(name, "11.2", request)
row("CL.0: a body where none is expected", "11.2", get(f"Content-Length: {len(INNER)}\r\n", line="POST /-/health HTTP/1.1") + INNER,
    "405 MethodNotAllowed")
row("0.CL: a length that counts, whatever the method", "11.2",
    get(f"Content-Length: {len(INNER)}\r\n", line="DELETE /-/health HTTP/1.1") + INNER, "405 MethodNotAllowed")
row("TE.0: chunks that count, whatever the method", "11.2",
    chunked(f"{len(INNER):x}\r\n{INNER}\r\n" + END, line="OPTIONS * HTTP/1.1"), "200")
row("a length named by Connection counts all the same", "R7.6.1",
    get(f"Connection: Content-Length\r\nContent-Length: {len(INNER)}\r\n") + INNER, "200")
row("a coding named by Connection counts all the same", "R7.6.1", chunked(HELLO, more="Connection: Transfer-Encoding\r\n"), "200")
row("another name in the line of the length", "5", get("X-A: b Content-Length: 5\r\n"), "200")
bad("a refusal, and a request behind it", "9.6", get("X-A : b\r\n") + INNER * 3)
row("a good request, a refusal, and one behind it", "9.6", get() + get("X-A : b\r\n") + INNER, "200, 400 BadRequest", CLOSE)

# ---- Chunks that are not in order

for name, body in {
        "a size that is no number": "zz\r\nhello\r\n" + END, "no size": "\r\nhello\r\n" + END, "a negative size": "-5\r\nhello\r\n" + END,
        "a size with a plus": "+5\r\nhello\r\n" + END, "a size with 0x": "0x5\r\nhello\r\n" + END, "a size with an underscore": "1_0\r\nhello\r\n" + END,
        "a space before a size": " 5\r\nhello\r\n" + END, "a tab before a size": "\t5\r\nhello\r\n" + END, "a space behind a size": "5 \r\nhello\r\n" + END,
        "a space before an extension": "5 ;a=b\r\nhello\r\n" + END, "a space in an extension": "5;a= b\r\nhello\r\n" + END,
        "a space behind a semicolon": "5; a\r\nhello\r\n" + END, "a semicolon alone": "5;\r\nhello\r\n" + END, "an extension without a name": "5;=b\r\nhello\r\n" + END,
        "an extension with a bracket": "5;[=b\r\nhello\r\n" + END, "a last chunk of +0": "5\r\nhello\r\n+0\r\n\r\n", "an extension without a value": "5;a=\r\nhello\r\n" + END, "an extension with an open quote": "5;a=\"b\r\nhello\r\n" + END,
        "an extension with a NUL": "5;a\0\r\nhello\r\n" + END, "an extension with a bare CR": "5;a\rb\r\nhello\r\n" + END,
        "an extension with a bare LF": "5;a\nb\r\nhello\r\n" + END, "an extension that ends in LF": "5;a\nhello\r\n" + END,
        "an extension that hides a chunk": "5;\n05\r\nhello\r\n" + END, "a quoted LF": "5;a=\"\n\"\r\nhello\r\n" + END,
        "LF behind a size": "5\nhello\r\n" + END, "CR behind a size": "5\rhello\r\n" + END, "two CR behind a size": "5\r\r\nhello\r\n" + END,
        "LF behind data": "5\r\nhello\n" + END, "CR behind data": "5\r\nhello\r" + END, "nothing behind data": "5\r\nhello" + END,
        "other bytes behind data": "5\r\nhelloXX" + END, "data that is too long": "3\r\nhello\r\n" + END, "data that is too short": "7\r\nhello\r\n" + END,
        "a size of 2^64": "10000000000000000\r\nhello\r\n" + END, "a size of 2^64 and 5": "10000000000000005\r\nhello\r\n" + END,
        "a size of 2^63": "8000000000000000\r\nhello\r\n" + END, "a size of 2^64 - 1": "ffffffffffffffff\r\nhello\r\n" + END,
        "a size of 100 digits": "5" * 100 + "\r\nhello\r\n" + END, "a size with a dot": "5.0\r\nhello\r\n" + END, "a size with a comma": "5,0\r\nhello\r\n" + END,
        "a NUL behind a size": "5\0\r\nhello\r\n" + END, "a trailer without a colon": "0\r\nnonsense\r\n\r\n", "a trailer without a name": "0\r\n: b\r\n\r\n",
        "a trailer with a space before the colon": "0\r\nA : b\r\n\r\n", "a folded trailer": "0\r\nA: b\r\n c\r\n\r\n", "a trailer that begins with a space": "0\r\n A: b\r\n\r\n",
        "a trailer with a NUL": "0\r\nA: b\0\r\n\r\n", "a trailer with a bare CR": "0\r\nA: b\rc\r\n\r\n", "a trailer with a bare LF": "0\r\nA: b\nC: d\r\n\r\n",
        "a trailer that ends in LF": "0\r\nA: b\r\n\n", "LF behind the last chunk": "0\n\r\n", "LF at the end": "0\r\n\n", "CR at the end": "0\r\n\rX",
        "LF everywhere": "5\nhello\n0\n\n", "a long extension": "5;" + "a" * 1000 + "\r\nhello\r\n" + END,
        "a trailer of 9 KiB": "0\r\nA: " + "b" * 9216 + "\r\n\r\n",
        "very many trailers": "0\r\n" + "A: b\r\n" * 100 + "\r\n"}.items():
    bad(name, "7.1", upload(body))

# The answer to a GET does not wait for its body; what is behind a body that is not in order is no request.
row("very many extensions", "7.1.1", chunked("1;abcdefgh\r\nx\r\n" * 3000 + END), "200", CLOSE)
row("chunks of a GET that are not in order", "7.1", chunked("5 \r\nhello\r\n" + END), "200", CLOSE)

# ---- Connections

row("Connection: close", "9.6", get("Connection: close\r\n"), "200", CLOSE)
row("close in a list", "9.6", get("Connection: a, Close ,b\r\n"), "200", CLOSE)
row("close in a second line", "9.6", get("Connection: a\r\nConnection: close\r\n"), "200", CLOSE)
row("close beside keep-alive", "9.3", get("Connection: keep-alive, close\r\n"), "200", CLOSE)
row("a word that begins with close", "9.6", get("Connection: closed\r\n"), "200")
row("keep-alive", "9.3", get("Connection: keep-alive\r\n"), "200")
row("an empty member of Connection", "R5.6.1", get("Connection: , ,a,\r\n"), "200")
row("HTTP/1.0 ends", "9.3", get(line="GET /-/health HTTP/1.0"), "200", CLOSE)
row("HTTP/1.0 with keep-alive goes on", "9.3", get("Connection: keep-alive\r\n", line="GET /-/health HTTP/1.0"), "200")
row("HTTP/1.0 with another word ends", "9.3", get("Connection: a\r\n", line="GET /-/health HTTP/1.0"), "200", CLOSE)
row("HTTP/1.0 with keep-alive and close ends", "9.3", get("Connection: keep-alive, close\r\n", line="GET /-/health HTTP/1.0"), "200", CLOSE)
row("close with a body", "9.6", get("Connection: close\r\nContent-Length: 5\r\n") + "hello", "200", CLOSE)
row("close of the second request", "9.6", get() + get("Connection: close\r\n") + get(), "200, 200", CLOSE)
row("a resource that is not there", "9.3", get(line="GET /-/nothing HTTP/1.1"), "404 NotFound")
row("Upgrade to a protocol that nobody knows", "R7.8", get("Connection: Upgrade\r\nUpgrade: foo/1\r\n"), "200")
row("Upgrade to HTTP/2", "R7.8", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), "200")
row("Upgrade without Connection", "R7.8", get("Upgrade: websocket\r\n"), "200")
row("Upgrade in HTTP/1.0", "R7.8", get("Connection: Upgrade\r\nUpgrade: h2c\r\n", line="GET /-/health HTTP/1.0"), "200", CLOSE)
row("TE, which asks for trailers", "R10.1.4", get("TE: trailers\r\nConnection: TE\r\n"), "200")
row("Keep-Alive and its parameters", "9.3", get("Connection: keep-alive\r\nKeep-Alive: timeout=1, max=1\r\n"), "200")
row("Max-Forwards is for TRACE and OPTIONS", "R7.6.2", get("Max-Forwards: 0\r\n"), "200")

# ---- Requests that end too early

PUT = "PUT {other} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\n"
for name, request in {
        "nothing": "", "a method": "GE", "a request line": "GET /-/health HTTP/1.1\r\n", "half a header": "GET /-/health HTTP/1.1\r\nHo",
        "all but the last line": get()[:-2], "all but the last byte": get()[:-1], "a short body": PUT + "hell",
        "no body": PUT, "no body of a large length": PUT.replace(": 5", ": 4999999999"), "half a chunk": upload("5\r\n") + "5\r\nhe", "no last chunk": upload("5\r\nhello\r\n"),
        "half a last chunk": upload("5\r\nhello\r\n0\r\n"), "half a trailer": upload("5\r\nhello\r\n0\r\nA: b"),
        "an empty line alone": CRLF}.items():
    ROWS.append(Row(f"cut off: {name}", "8", request.encode(), [], CUT))

# ---- Expect

row("100-continue without a body", "R10.1.1", get("Expect: 100-continue\r\n"), "200")
row("an expectation that nobody knows", "R10.1.1", get("Expect: nothing\r\n"), "200")
row("100-continue in HTTP/1.0", "R10.1.1", "PUT {other} HTTP/1.0\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "200", CLOSE)
row("no word of 100 in HTTP/1.0", "R15.2", get("Expect: 100-continue\r\nContent-Length: 5\r\n", line="GET /-/health HTTP/1.0") + "hello", "200", CLOSE)

# ---- Objects

OBJECT = "{method} {target} HTTP/1.1\r\nHost: {{host}}\r\n{headers}\r\n"


def ask(method, headers="", target=None, body=""):
    return OBJECT.format(method=method, target="{" + (target or method.lower()) + "}", headers=headers) + body


def put(headers="", body="hello", target="put"):
    return ask("PUT", f"Content-Length: {len(body)}\r\n" + headers, target, body)


MODIFIED = ["Sun, 06 Nov 2094 08:49:37 GMT", "Sunday, 06-Nov-49 08:49:37 GMT", "Sun Nov  6 08:49:37 2094"]
ANCIENT = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
row("GET of an object", "R9.3.1", ask("GET"), "200")
row("HEAD of an object", "R9.3.2", ask("HEAD"), "200 HEAD")
row("PUT of an object", "R9.3.4", put(target="other"), "200")
row("absolute form of an object", "3.2.2", ask("GET").replace("{get}", "http://{host}{get}"), "200")
row("two objects at once", "9.3.2", ask("GET") + ask("HEAD") + ask("GET"), "200, 200 HEAD, 200")
row("204 has no body", "R15.3.5", ask("DELETE", target="delete"), "204 HEAD")
row("304 has no body", "R15.4.5", ask("GET", "If-None-Match: *\r\n"), "304 HEAD")
row("If-None-Match of HEAD", "R13.1.2", ask("HEAD", "If-None-Match: {etag}\r\n"), "304 HEAD")
row("If-None-Match in a list, weak", "R13.1.2", ask("GET", "If-None-Match: \"x\", W/{etag}\r\n"), "304 HEAD")
row("If-None-Match of another", "R13.1.2", ask("GET", "If-None-Match: \"x\"\r\n"), "200")
row("If-Match of another", "R13.1.1", ask("GET", "If-Match: \"x\"\r\n"), "412 PreconditionFailed")
row("If-Match", "R13.1.1", ask("GET", "If-Match: {etag}\r\n"), "200")
row("If-Match of any", "R13.1.1", ask("GET", "If-Match: *\r\n"), "200")
for number, date in enumerate(ANCIENT):
    row(f"If-Unmodified-Since, form {number + 1}", "R5.6.7", ask("GET", f"If-Unmodified-Since: {date}\r\n"), "412 PreconditionFailed")
    row(f"If-Modified-Since, form {number + 1}", "R5.6.7", ask("GET", f"If-Modified-Since: {date}\r\n"), "200")
row("If-Modified-Since of now", "R13.1.3", ask("GET", "If-Modified-Since: {modified}\r\n"), "304 HEAD")
row("If-Modified-Since that is no date", "R13.1.3", ask("GET", "If-Modified-Since: yesterday\r\n"), "200")
row("If-None-Match goes before If-Modified-Since", "R13.2.2", ask("GET", "If-None-Match: \"x\"\r\nIf-Modified-Since: {modified}\r\n"), "200")
row("If-Match goes before If-Unmodified-Since", "R13.2.2", ask("GET", f"If-Match: {{etag}}\r\nIf-Unmodified-Since: {ANCIENT[0]}\r\n"), "200")
# RFC 9110, 13.1.3, would pass over it; S3 says that it does not do it.
row("If-Modified-Since is not for PUT", "R13.1.3", put("If-Modified-Since: {modified}\r\n", target="other"), "501 NotImplemented", KEEP)
row("a range", "R14.2", ask("GET", "Range: bytes=1-3\r\n"), "206")
row("a suffix", "R14.1.2", ask("GET", "Range: bytes=-2\r\n"), "206")
row("a range without an end", "R14.1.2", ask("GET", "Range: bytes=1-\r\n"), "206")
row("a range beyond the end", "R14.1.2", ask("GET", "Range: bytes=1-1000\r\n"), "206")
row("a range behind the end", "R15.5.17", ask("GET", "Range: bytes=1000-\r\n"), "416 InvalidRange")
row("a range of another unit", "R14.2", ask("GET", "Range: lines=1-3\r\n"), "200")
row("a range that is none", "R14.2", ask("GET", "Range: bytes=3-1\r\n"), "200")
# RFC 9110, 14.2, would pass over it; S3 takes it.
row("a range of a HEAD", "R14.2", ask("HEAD", "Range: bytes=1-3\r\n"), "206 HEAD")
row("a range of a PUT", "R14.2", put("Range: bytes=1-3\r\n", target="other"), "200")
row("a range if it is this", "R13.1.5", ask("GET", "Range: bytes=1-3\r\nIf-Range: {etag}\r\n"), "206")
row("a range if it is another", "R13.1.5", ask("GET", "Range: bytes=1-3\r\nIf-Range: \"x\"\r\n"), "200")
row("a range if it is this, weakly", "R13.1.5", ask("GET", "Range: bytes=1-3\r\nIf-Range: W/{etag}\r\n"), "200")
row("If-Range without a range", "R13.1.5", ask("GET", "If-Range: \"x\"\r\n"), "200")
row("a condition goes before a range", "R13.2.2", ask("GET", "Range: bytes=1000-\r\nIf-None-Match: {etag}\r\n"), "304 HEAD")
row("a length and a refusal", "9.3", ask("PUT", "Content-Length: 5\r\n", "get", "hello"), "403 SignatureDoesNotMatch")
row("a refused body that is a request", "11.2", ask("PUT", f"Content-Length: {len(INNER)}\r\n", "get", INNER), "403 SignatureDoesNotMatch")
row("a refused body in chunks that is a request", "11.2",
    ask("PUT", "Transfer-Encoding: chunked\r\n", "get", f"{len(INNER):x}\r\n{INNER}\r\n" + END), "403 SignatureDoesNotMatch")
row("an object in chunks", "7.1", upload(HELLO), "200")
row("an object in chunks, and another", "9.3", upload(HELLO) * 2, "200, 200")
row("an object in chunks without its length", "6.1", ask("PUT", "Transfer-Encoding: chunked\r\n", "put", HELLO), "501 NotImplemented", KEEP)
