/* SPDX-License-Identifier: MIT */

#pragma once

#define AMNESIA_INSIDE

#include "amnesia-bind.h"
#include "amnesia-change.h"
#include "amnesia-conf.h"
#include "amnesia-error.h"
#include "amnesia-json.h"
#include "amnesia-peer.h"
#include "amnesia-prompt.h"
#include "amnesia-store.h"
#include "amnesia-version.h"

#undef AMNESIA_INSIDE
