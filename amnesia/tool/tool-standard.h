/* SPDX-License-Identifier: MIT */

#pragma once

/* What has to be so with the standard files before and after all else. */

void tool_standard_init (void);
