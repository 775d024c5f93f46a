-- What a plugin's files can access of Kong while its handler and its schema are loaded. Nothing here has an effect.
-- `typedefs` has the most common types of Kong 3.9, as the plugin development kit describes them
-- (https://developer.konghq.com/custom-plugins/schema.lua/). Any other type accepts every value.
local read_module, instructions = ...

local stand_in
stand_in = setmetatable({}, {
  __index = function() return stand_in end,
  __call = function() return stand_in end,
  __concat = function() return "" end,
  __tostring = function() return "" end,
})

local null = setmetatable({}, { __tostring = function() return "null" end })
local ngx = setmetatable({ null = null }, { __index = function() return stand_in end })

local define
define = function(definition)
  return setmetatable(definition, {
    __call = function(_, changes)
      local copy = {}
      for key, value in pairs(definition) do copy[key] = value end
      for key, value in pairs(changes or {}) do copy[key] = value end
      return define(copy)
    end,
  })
end

local function text(check)
  return define({ type = "string", custom_validator = check })
end

local http = { "grpc", "grpcs", "http", "https" }
local protocol = define({
  type = "string",
  one_of = { "grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss" },
})
local http_protocol = define({ type = "string", one_of = http })

local typedefs = setmetatable({
  protocol = protocol,
  protocols = define({ type = "set", required = true, default = http, elements = protocol }),
  protocols_http = define({ type = "set", required = true, default = http, elements = http_protocol }),
  no_route = define({ type = "foreign", reference = "routes", eq = null }),
  no_service = define({ type = "foreign", reference = "services", eq = null }),
  no_consumer = define({ type = "foreign", reference = "consumers", eq = null }),
  http_method = define({ type = "string", match = "^%u+$" }),
  port = define({ type = "integer", between = { 0, 65535 } }),
  timeout = define({ type = "integer", between = { 0, 2 ^ 31 - 2 } }),
  path = define({
    type = "string",
    starts_with = "/",
    match_none = { { pattern = "//", err = "must not have empty segments" } },
  }),
  url = text(function(value)
    if not value:match("^%a[%w+.-]*:") then return nil, "missing scheme in url" end
    if not value:match("^%a[%w+.-]*://[^/?#]+") then return nil, "missing host in url" end
    return true
  end),
  host = text(),
  ip = text(),
  ip_or_cidr = text(),
  header_name = text(),
  uuid = define({ type = "string", uuid = true, auto = true }),
  tag = define({ type = "string", required = true }),
}, { __index = function() return define({ type = "any" }) end })

local bundled = { "^kong%.", "^resty%.", "^pl%.", "^cjson", "^socket", "^ngx%.", "^table%.", "^string%.", "^lua_", "^ffi$", "^bit$" }

local globals = {
  _VERSION = _VERSION, assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
  select = select, setmetatable = setmetatable, getmetatable = getmetatable, tonumber = tonumber, tostring = tostring,
  type = type, unpack = unpack, xpcall = xpcall, rawget = rawget, rawset = rawset, rawequal = rawequal, math = math,
  string = string, table = table, print = function() end, ngx = ngx, kong = stand_in,
  os = { time = os.time, clock = os.clock, getenv = function() return nil end },
}
globals._G = globals

local loaded = { ["kong.db.schema.typedefs"] = typedefs }

local function require_module(name)
  if loaded[name] ~= nil then return loaded[name] end
  local source = read_module(name)
  if source then
    local chunk, problem = loadstring(source, "@" .. name)
    if not chunk then error("error loading module '" .. name .. "': " .. problem, 0) end
    setfenv(chunk, globals)
    local value = chunk(name)
    loaded[name] = value == nil and true or value
    return loaded[name]
  end
  for _, pattern in ipairs(bundled) do
    if name:match(pattern) and not name:match("^kong%.plugins%.") then return stand_in end
  end
  error("module '" .. name .. "' not found", 0)
end
globals.require = require_module

-- Stops a file that never ends.
local function limited(called, argument)
  debug.sethook(function() error("a plugin's file takes too long", 0) end, "", instructions)
  return called(argument)
end

return limited, require_module, null
