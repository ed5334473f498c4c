/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TOOL_FORM_JSON,
  TOOL_FORM_GVARIANT,
  TOOL_FORM_STRING,
} ToolForm;

char     *tool_value_read_input (GError      **error);
gboolean  tool_value_parse      (const char   *text,
                                 ToolForm      form,
                                 GVariant    **value,
                                 GError      **error);
GVariant *tool_value_adapt      (GVariant     *value,
                                 GVariant     *present);
GVariant *tool_value_as_part    (GVariant     *value);
char     *tool_value_show       (GVariant     *value);

G_END_DECLS
