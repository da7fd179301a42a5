"""The sinks do what tests of deliveries rely on."""

import http.client
import smtplib
import ssl

import pytest

import sinks


def post(sink, body=b"hello", timeout=5):
    c = http.client.HTTPConnection(sink.host, sink.port, timeout=timeout)
    try:
        c.request("POST", "/x?y", body, {"X-One": "ä".encode()})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read()
    finally:
        c.close()


def test_http_answers_as_scripted(closing):
    s = closing(sinks.HttpSink())
    s.script(sinks.status(404, {"a": 1}), sinks.later(7),
             sinks.redirect("http://127.0.0.1:1/"), sinks.CUT, sinks.RESET,
             sinks.CUT_BODY, lambda r: sinks.status(200, r.body[::-1]))
    assert post(s)[::2] == (404, b'{"a": 1}')
    code, headers, _ = post(s)
    assert (code, headers["Retry-After"]) == (429, "7")
    assert post(s)[1]["Location"] == "http://127.0.0.1:1/"
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        post(s)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        post(s)
    with pytest.raises(http.client.IncompleteRead):
        post(s)
    assert post(s)[2] == b"olleh"
    assert post(s)[2] == b"ok"
    seen = s.wait(8)
    assert {(r.method, r.path, r.body) for r in seen} == {
        ("POST", "/x?y", b"hello")}
    assert seen[0].headers["x-one"] == "ä"


def test_http_hangs_and_keeps_connections(closing):
    s = closing(sinks.HttpSink())
    s.script(sinks.HANG)
    with pytest.raises(TimeoutError):
        post(s, timeout=0.3)
    c = http.client.HTTPConnection(s.host, s.port, timeout=5)
    for _ in range(2):
        c.request("POST", "/", b"a")
        assert c.getresponse().read() == b"ok"
    c.close()
    assert s.hits == 2 and len(s.requests) == 3


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_with_tls_and_login(closing, tmp_path, tls):
    pair = sinks.certificate(str(tmp_path))
    m = closing(sinks.MailSink(tls=tls, pair=pair, user="u", password="p"))
    trust = ssl.create_default_context(cafile=pair[0])

    def client():
        if tls == "tls":
            return smtplib.SMTP_SSL("localhost", m.port, timeout=5,
                                    context=trust)
        c = smtplib.SMTP("localhost", m.port, timeout=5)
        with pytest.raises(smtplib.SMTPSenderRefused):
            c.sendmail("a@x", ["b@x"], b"no")
        c.starttls(context=trust)
        return c
    c = client()
    with pytest.raises(smtplib.SMTPAuthenticationError):
        c.login("u", "wrong")
    c.login("u", "p")
    m.refused["bad@x"] = "550 5.1.1 nobody"
    c.sendmail("a@x", ["b@x", "bad@x"], b"Subject: s\r\n\r\nbody\r\n")
    m.reply = "451 4.3.0 later"
    with pytest.raises(smtplib.SMTPDataError) as e:
        c.sendmail("a@x", ["b@x"], b"Subject: t\r\n\r\nbody\r\n")
    assert e.value.smtp_code == 451
    c.close()
    got = m.wait(1)
    assert [(x.sender, x.to, x.tls, x.user) for x in got] == [
        ("a@x", ["b@x"], True, "u")]
    assert got[0].message["Subject"] == "s"
