-- Runs once, on an empty data volume: BeanCart's database, owned by the application's role, and Lethe's role, which may
-- replicate and acts for the owner but is no superuser.
\set password `cat /run/secrets/postgres_password`
CREATE ROLE beancart NOLOGIN;
CREATE ROLE lethe LOGIN REPLICATION PASSWORD :'password';
GRANT beancart TO lethe;
CREATE DATABASE beancart OWNER beancart;
\connect beancart
SET ROLE beancart;
\i /beancart-schema.sql
