"""Debian's Mail::DKIM, which is tested by the published ARC suite: what it says of messages, and its own seals."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
from collections.abc import Sequence

INSTALLED = pathlib.Path("/usr/share/perl5/Mail/DKIM/ARC/Verifier.pm")

_PROGRAM = r"""
use strict; use warnings; use JSON::PP; use MIME::Base64; use Net::DNS;
use Mail::DKIM::DNS; use Mail::DKIM::ARC::Verifier; use Mail::DKIM::ARC::Signer;
package Zone;
sub new { my ($class, $records) = @_; return bless { records => $records }, $class }
sub errorstring { return 'NOERROR' }
sub send {
    my ($self, $name, $type) = @_;
    my $packet = Net::DNS::Packet->new($name, $type);
    my $text = $self->{records}{lc $name};
    if (defined $text) {
        my $record = Net::DNS::RR->new(owner => $name, type => 'TXT', txtdata => [unpack('(a200)*', $text)]);
        $packet->push(answer => $record);
    }
    $packet->header->rcode(defined $text ? 'NOERROR' : 'NXDOMAIN');
    return $packet;
}
package main;
local $/; my $asked = decode_json(<STDIN>); my @told;
for my $each (@$asked) {
    Mail::DKIM::DNS::resolver(Zone->new($each->{records}));
    my $message = decode_base64($each->{message});
    if ($each->{key}) {
        my $signer = Mail::DKIM::ARC::Signer->new(
            Algorithm => 'rsa-sha256', Chain => 'ar', Domain => 'example.test', Selector => 'r1',
            SrvId => 'mx.example.test', Timestamp => 12345,
            Key => Mail::DKIM::PrivateKey->load(Data => $each->{key}));
        $signer->PRINT($message); $signer->CLOSE;
        push @told, join("\r\n", $signer->as_strings) . "\r\n";
    } else {
        my $verifier = Mail::DKIM::ARC::Verifier->new(Strict => 1);
        eval { $verifier->PRINT($message); $verifier->CLOSE; 1 } or do { push @told, "died: $@"; next };
        push @told, $verifier->result;
    }
}
print encode_json(\@told);
"""


def verdicts(messages: Sequence[bytes], zones: Sequence[dict[str, str]]) -> list[str]:
    """Its word on each chain."""
    return _told([_asked(message, zone) for message, zone in zip(messages, zones, strict=True)])


def sealed(message: bytes, key: str, zone: dict[str, str]) -> bytes:
    """The message with a set of its making in front; it takes its word from Authentication-Results of mx.example.test."""
    [fields] = _told([{**_asked(message, zone), "key": key}])
    return fields.encode() + message


def _asked(message: bytes, zone: dict[str, str]) -> dict[str, object]:
    return {"message": base64.b64encode(message).decode(), "records": zone}


def _told(asked: Sequence[dict[str, object]]) -> list[str]:
    done = subprocess.run(["perl", "-e", _PROGRAM], input=json.dumps(asked).encode(), capture_output=True, check=True)
    return list(json.loads(done.stdout))
