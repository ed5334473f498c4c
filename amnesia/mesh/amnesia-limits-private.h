/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The bounds of links, frames and times, in one place: what others can make us do or hold. Times are
 * in microseconds. What a value and a replica may be is bounded in their own room. */

#define AMNESIA_MS (G_TIME_SPAN_MILLISECOND)
#define AMNESIA_SECOND (G_TIME_SPAN_SECOND)

/* The earlier of two times, where 0 is never. */
static inline gint64
amnesia_earlier (gint64 a,
                 gint64 b)
{
  if (a == 0 || b == 0)
    return a + b;
  return MIN (a, b);
}

/* --- bytes --- */

/* Before its hello a stranger gets no more than this of our memory. */
#define AMNESIA_MAX_HELLO 4096
#define AMNESIA_MAX_CONTROL 1024
/* Lists are cut into frames of this size, so that heartbeats get in between. */
#define AMNESIA_MAX_LIST (64 * 1024)
/* A write of 4,096 keys of 255 bytes, with their types. */
#define AMNESIA_MAX_WRITE_HEADER (4 * 1024 * 1024)
/* All keys of one write together. */
#define AMNESIA_MAX_WRITE_FACTOR 4
/* What a link reads at once; a larger frame gets a buffer that grows with what came. */
#define AMNESIA_READ_BUFFER (16 * 1024)
/* More keys than a replica has room for need not be listed. */
#define AMNESIA_MAX_LISTED 65536
/* What a payload gets of memory before any of it has come, or less, if it is smaller. */
#define AMNESIA_PAYLOAD_STEP (64 * 1024)
/* How long the memory of a large value that is gone is kept for the next one. */
#define AMNESIA_SPARE_TIME (4 * AMNESIA_SECOND)
/* What the kernel may hold of ours that is not sent: more would be stale when it leaves. */
#define AMNESIA_NOTSENT_LOWAT (16 * 1024)
/* The same while a frame is in flight of which more than a slice is left: that is as old as it is, and
 * the kernel may have enough of it to go on while we are elsewhere. */
#define AMNESIA_NOTSENT_LARGE (2 * 1024 * 1024)
/* What a link gives the kernel at once. */
#define AMNESIA_SEND_SLICE (4 * 1024 * 1024)
/* Of what is larger it is shown how much has gone or come. */
#define AMNESIA_LARGE (1024 * 1024)
/* What a link receives at once. */
#define AMNESIA_SLICE (256 * 1024)
/* After so long a dispatch begins nothing more, so that others get their turn. All links may have
 * theirs in one turn of the loop: where there are many, each has less. */
#define AMNESIA_SLICE_TIME (5 * AMNESIA_MS)
#define AMNESIA_TURN_TIME (25 * AMNESIA_MS)
/* What is checked in the loop: at 50 ns for each byte, 6 ms. More is checked in a thread. */
#define AMNESIA_MAX_QUICK (128 * 1024)

/* --- links --- */

#define AMNESIA_MAX_LINKS 512
/* So that there is always room for 256 who are listed, and for those who have not said hello. */
#define AMNESIA_MAX_GUESTS 192
/* Without hello; the oldest is dropped for a new one. Fifty processes that start in one second
 * must get in. */
#define AMNESIA_MAX_GREETING 64
#define AMNESIA_LISTEN_BACKLOG 128
#define AMNESIA_ACCEPTS_PER_WAKE 16

/* Handshakes of TLS that have a thread, of those who were let in and of those who were dialled: GIO has
 * ten threads for the whole program, and four of them look up names for us. */
#define AMNESIA_MAX_ANSWERING 4
#define AMNESIA_MAX_ASKING 2

/* --- times --- */

/* After so long a handshake that waits for its peer makes room for one that has waited for a thread. */
#define AMNESIA_HANDSHAKE_TURN (500 * AMNESIA_MS)
/* So long before our own certificate expires that is told, and how often. */
#define AMNESIA_CERTIFICATE_WARN (14 * G_TIME_SPAN_DAY)
#define AMNESIA_CERTIFICATE_REMIND G_TIME_SPAN_DAY

/* From accept or connect to the peer's hello, absolute: a byte now and then does not help. */
#define AMNESIA_HELLO_DEADLINE (5 * AMNESIA_SECOND)
#define AMNESIA_BEAT_INTERVAL (2 * AMNESIA_SECOND)
/* A beat goes by so much earlier if one of another link is due: a member has one wake-up for all. */
#define AMNESIA_BEAT_SLACK (250 * AMNESIA_MS)
/* A peer is told that its values have come at most so often, and after twice that at the latest: it
 * needs to know that all have, and who sends as fast as he can has no use for a frame about each. */
#define AMNESIA_ACK_INTERVAL (10 * AMNESIA_MS)
/* All peers are told of new links at most so often, times the square of their number: as many members
 * do so, who may all be on one machine. */
#define AMNESIA_TELL_INTERVAL 50
#define AMNESIA_TELL_INTERVAL_MAX (2 * AMNESIA_SECOND)
/* Silence of three heartbeats. Less gave false alarms with loops that block for 2.4 s. */
#define AMNESIA_DEAD_AFTER (6 * AMNESIA_SECOND)
/* A peer that sends but reads nothing. */
#define AMNESIA_STALL_AFTER (10 * AMNESIA_SECOND)
/* And for each byte of a value that it has and may be checking: twenty times what that takes here, as
 * other machines are slower, and other values may be before it. */
#define AMNESIA_CHECK_TIME 1
/* A frame that has begun has to bring so much in this time, or its end. That is 13 kbit/s: no link in
 * use is slower, and who dribbles does not hold up "synced" for ever. */
#define AMNESIA_PACE (16 * 1024)
#define AMNESIA_PACE_AFTER (10 * AMNESIA_SECOND)
/* How far a large value is on its way is shown when it has been so for this long, and then so often. The
 * end, which is shown at once, makes one more: that is ten times a second, whatever comes. */
#define AMNESIA_TRANSIT_INTERVAL (100 * AMNESIA_MS)
#define AMNESIA_TRANSIT_AFTER (2 * AMNESIA_TRANSIT_INTERVAL)
/* Our own timer is late by this: the loop was blocked, nobody else is to blame. */
#define AMNESIA_LATE (1 * AMNESIA_SECOND)
/* The wall clock went ahead of the monotonic one by this: the machine slept. */
#define AMNESIA_RESUME (5 * AMNESIA_SECOND)
/* At most one exchange of lists per link in this time, after two digests that differ. */
#define AMNESIA_EXCHANGE_INTERVAL (4 * AMNESIA_SECOND)
#define AMNESIA_EXCHANGE_AFTER 2

/* A peer that talks, but does not send what it has listed, or never lists. */
#define AMNESIA_GIVE_UP_AFTER (10 * AMNESIA_SECOND)
/* Who sends fewer bytes in that time, ten times what heartbeats have, has no value on its way. */
#define AMNESIA_TRICKLE (4 * 1024)

#define AMNESIA_DIAL_TIMEOUT_S 3
/* After so long no other address of the name is begun with: a thousand that do not answer would take
 * an hour, in which the name may have got another one. The next attempt begins with the next. */
#define AMNESIA_DIAL_BEGIN_BEFORE (7 * AMNESIA_SECOND)
#define AMNESIA_LOOKUP_TIMEOUT (5 * AMNESIA_SECOND)
/* How long the search for our own entry waits for names; later ones are tried as a guest. */
#define AMNESIA_LOOKUP_GRACE (1 * AMNESIA_SECOND)
/* Names are looked up anew for a stranger at the door at most this often. */
#define AMNESIA_LOOKUP_INTERVAL (5 * AMNESIA_SECOND)
#define AMNESIA_REDIAL_FIRST (250 * AMNESIA_MS)
#define AMNESIA_REDIAL_CAP (2 * AMNESIA_SECOND)
#define AMNESIA_REDIAL_CAP_LATER (30 * AMNESIA_SECOND)
#define AMNESIA_REDIAL_LATER_AFTER (600 * AMNESIA_SECOND)
#define AMNESIA_REDIAL_JITTER 0.25
/* A link that ends sooner has not served. */
#define AMNESIA_BRIEF (10 * AMNESIA_SECOND)
/* Of a guest: ten minutes of rounds. */
#define AMNESIA_GUEST_ROUNDS_LATER 300
#define AMNESIA_GUEST_STEP (250 * AMNESIA_MS)

/* After the first peer's value, how long to wait for the first dials of the others. */
#define AMNESIA_SYNCED_AFTER (1 * AMNESIA_SECOND)
#define AMNESIA_ALONE_AFTER (5 * AMNESIA_SECOND)
/* Flush, shut down, read to the end: at most this. */
#define AMNESIA_LINGER (2 * AMNESIA_SECOND)
/* accept() fails for lack of descriptors: the pause, doubled each time. */
#define AMNESIA_ACCEPT_PAUSE_MS 100
#define AMNESIA_ACCEPT_PAUSE_MAX_MS 1000

/* --- clocks --- */

#define AMNESIA_CLOCK_WARN (1 * AMNESIA_SECOND)

/* --- log --- */

/* Lines about what others did: this many at once, then one a second. */
#define AMNESIA_LOG_BURST 20
#define AMNESIA_LOG_TEXT 120

G_END_DECLS
