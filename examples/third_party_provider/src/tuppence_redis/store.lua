-- The store's steps, each of which happens at once. ARGV begins with the step's name and the time now, KEYS
-- with the key of expiries; then come two keys for each record of the call.
--
--   expiry   zset  `partition/sort` by the time the record expires; none for records that are kept
--   records  hash  sort -> version, expires, attributes and body of a partition's records
--   index    zset  a partition's sorts, all with score 0, and so in order of their bytes
--
-- Times are microseconds since 1970 and stay text, since Lua would write such numbers with 14 digits.

local expiry, now = KEYS[1], tonumber(ARGV[2])
local step = {}

local function records(number)
  return KEYS[2 * number]
end

local function index(number)
  return KEYS[2 * number + 1]
end

-- The record at `sort` of the call's partition `number`; false where none is or it has expired.
local function live(number, sort)
  local packed = redis.call('HGET', records(number), sort)
  local record = packed and cmsgpack.unpack(packed)
  return record and (record[2] == '' or tonumber(record[2]) > now) and record
end

local function met(condition, version, number, sort)
  if condition == 'absent' then
    return not live(number, sort)
  elseif condition == 'version' then
    local record = live(number, sort)
    return record and record[1] == version
  end
  return true
end

local function keep(number, partition, sort, version, expires, attributes, body)
  -- This comes first: a server without memory refuses it, but nothing that follows on a script's first write.
  redis.call('HSET', records(number), sort, cmsgpack.pack({version, expires, attributes, body}))
  redis.call('ZADD', index(number), 0, sort)
  if expires == '' then
    redis.call('ZREM', expiry, partition .. '/' .. sort)
  else
    redis.call('ZADD', expiry, expires, partition .. '/' .. sort)
  end
end

local function remove(number, partition, sort)
  redis.call('HDEL', records(number), sort)
  redis.call('ZREM', index(number), sort)
  redis.call('ZREM', expiry, partition .. '/' .. sort)
end

-- condition, its version, then partition, sort, version, expires, attributes, body ...; returns what failed
function step.put()
  local failed = {}
  for i = 5, #ARGV, 6 do
    local number = (i - 5) / 6 + 1
    if met(ARGV[3], ARGV[4], number, ARGV[i + 1]) then
      keep(number, unpack(ARGV, i, i + 5))
    else
      table.insert(failed, number - 1)
    end
  end
  return failed
end

-- sort ...; returns a record or nothing for each
function step.get()
  local found = {}
  for number = 1, #ARGV - 2 do
    found[number] = live(number, ARGV[number + 2])
  end
  return found
end

-- from, to, most, bytes; returns where the page ends, unless it is the last, and its records
function step.query()
  local from, to, most, bytes = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
  local sorts = redis.call('ZRANGEBYLEX', index(1), from, to, 'LIMIT', 0, most + 1)
  local page, size = {}, 0
  for i, sort in ipairs(sorts) do
    if i > most or size >= bytes then
      return {sorts[i - 1], page}
    end
    local record = live(1, sort)
    if record then
      table.insert(page, {sort, unpack(record)})
      size = size + #record[4]
    end
  end
  return {'', page}
end

-- condition, its version, then partition, sort ...; returns what failed
function step.delete()
  local failed = {}
  for i = 5, #ARGV, 2 do
    local number = (i - 5) / 2 + 1
    local partition, sort = ARGV[i], ARGV[i + 1]
    if met(ARGV[3], ARGV[4], number, sort) then
      remove(number, partition, sort)
    else
      table.insert(failed, number - 1)
    end
  end
  return failed
end

-- bound, limit; returns the names of records that expired by then
function step.expired()
  return redis.call('ZRANGEBYSCORE', expiry, '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
end

-- bound, then partition, sort ...; deletes those that still expire by then, and returns how many
function step.purge()
  local deleted = 0
  for i = 4, #ARGV, 2 do
    local partition, sort = ARGV[i], ARGV[i + 1]
    local expires = redis.call('ZSCORE', expiry, partition .. '/' .. sort)
    if expires and tonumber(expires) <= tonumber(ARGV[3]) then
      remove((i - 4) / 2 + 1, partition, sort)
      deleted = deleted + 1
    end
  end
  return deleted
end

return step[ARGV[1]]()
