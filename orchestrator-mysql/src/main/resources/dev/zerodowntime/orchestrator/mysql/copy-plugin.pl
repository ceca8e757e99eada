# Loaded by pt-online-schema-change (--plugin): keeps it from doing harm when nobody looks after it.
#
#  * Its two sessions take named locks before anything is touched, so that whoever comes next finds
#    them, and there is never a second copy. A session that is lost, or ended by somebody, ends the
#    tool: it never connects again, for then it would have no lock.
#  * It begins only while the session that started it still has the migration's lock, on the same
#    server.
#  * Triggers are created under LOCK TABLES, which is tried until nobody has to wait for it.
#  * It pauses while a file exists.
#  * When all rows are copied, it leaves an empty table as a mark.
package pt_online_schema_change_plugin;

use strict;
use warnings FATAL => 'all';
use POSIX ();
use Time::HiRes ();

my $LOOK    = 0.2;     # seconds
my $PING    = 30;      # seconds
my $PATIENT = 60;      # seconds, for a moment in which nobody uses the table
my $NOWAIT  = 200;     # attempts

# 75 says: try again later. Nothing is cleaned up: that is done by whoever looks after the tool.
sub leave {
   my ($why) = @_;
   print STDERR "zdo: $why\n";
   POSIX::_exit(75);
}

sub new {
   my ( $class, %args ) = @_;
   unlink $ENV{ZDO_DEFAULTS} if $ENV{ZDO_DEFAULTS};
   my $self = bless { cxn => $args{cxn}, aux => $args{aux_cxn}, quoter => $args{Quoter} }, $class;
   foreach my $signal (qw(HUP INT TERM PIPE)) {
      $SIG{$signal} = sub { leave("it got the signal $signal") };
   }
   fence($self->{cxn}, $ENV{ZDO_MAIN});
   fence($self->{aux}, $ENV{ZDO_AUX});
   my ($holder) = $self->{cxn}->dbh()->selectrow_array(
      'SELECT IS_USED_LOCK(?)', undef, $ENV{ZDO_STEP});
   if ( !defined $holder || $holder != $ENV{ZDO_PARENT} ) {
      leave('whoever started it is not there any more, or is on another server');
   }
   $self->{pinged} = time;
   print 'zdo: session ' . $self->{cxn}->{zdo_session} . "\n";
   return $self;
}

sub fence {
   my ( $cxn, $lock ) = @_;
   my $dbh = $cxn->dbh();
   $dbh->{mysql_auto_reconnect} = 0;
   my ($got) = $dbh->selectrow_array('SELECT GET_LOCK(?, 0)', undef, $lock);
   leave('another copy of this migration is at work') unless $got;
   ($cxn->{zdo_session}) = $dbh->selectrow_array('SELECT CONNECTION_ID()');
}

{
   no warnings 'redefine';
   my $connect = \&Cxn::connect;
   *Cxn::connect = sub {
      my ( $self, %options ) = @_;
      return $connect->($self, %options) unless $self->{zdo_session};
      alive($self);
      return $self->{dbh};
   };
}

sub alive {
   my ($cxn) = @_;
   my $id;
   eval { ($id) = $cxn->{dbh}->selectrow_array('SELECT CONNECTION_ID()') };
   leave('a session of it was lost') unless defined $id && $id == $cxn->{zdo_session};
}

sub init {
   my ( $self, %args ) = @_;
   $self->{db}    = $args{orig_tbl}->{db};
   $self->{table} = $args{orig_tbl}->{tbl};
   $self->{name}  = $args{orig_tbl}->{name};
}

sub after_create_new_table {
   my ( $self, %args ) = @_;
   $self->{copy} = $args{new_tbl}->{name};
}

sub before_create_triggers {
   my ($self)  = @_;
   my $dbh     = $self->{cxn}->dbh();
   my $maria   = ($dbh->selectrow_array('SELECT VERSION()'))[0] =~ m/maria/i;
   my $until   = time + $PATIENT;
   my $attempt = 0;
   while ( time < $until ) {
      $attempt++;
      if ( $maria ) {
         $dbh->do('SET SESSION lock_wait_timeout = ' . ($attempt > $NOWAIT ? 1 : 0));
      }
      elsif ( $self->in_use() ) {
         Time::HiRes::sleep(0.005);
         next;
      }
      eval { $dbh->do("LOCK TABLES $self->{name} WRITE") };
      my $error = $@;
      $dbh->do('SET SESSION lock_wait_timeout = 1') if $maria;
      return if !$error;
      return if $error =~ m/denied/i;
      alive($self->{cxn});
      if ( $error !~ m/Lock wait timeout|interrupted|Deadlock/i ) {
         die $error;
      }
      Time::HiRes::sleep(0.01);
   }
   leave("no moment was found in which nobody uses table $self->{name}");
}

# Not everybody may ask, and not every server tells.
sub in_use {
   my ($self) = @_;
   my $used;
   eval {
      ($used) = $self->{cxn}->dbh()->selectrow_array(
         "SELECT 1 FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'TABLE' AND"
            . " LOCK_STATUS = 'GRANTED' AND OBJECT_SCHEMA = ? AND OBJECT_NAME = ? AND"
            . " OWNER_THREAD_ID <> PS_CURRENT_THREAD_ID() LIMIT 1",
         undef, $self->{db}, $self->{table});
   };
   return $used;
}

sub after_create_triggers {
   my ($self) = @_;
   $self->{cxn}->dbh()->do('UNLOCK TABLES');
}

sub before_copy_rows {
   my ($self) = @_;
   $self->look();
}

sub on_copy_rows_after_nibble {
   my ($self) = @_;
   $self->look();
}

sub look {
   my ($self) = @_;
   while ( $ENV{ZDO_PAUSE} && -e $ENV{ZDO_PAUSE} ) {
      $self->ping();
      Time::HiRes::sleep($LOOK);
   }
   $self->ping();
}

# The second session has nothing to do, and must not be ended for that.
sub ping {
   my ($self) = @_;
   return if time - $self->{pinged} < $PING;
   $self->{pinged} = time;
   alive($self->{cxn});
   alive($self->{aux});
}

sub after_copy_rows {
   my ($self) = @_;
   alive($self->{cxn});
   my $dbh = $self->{cxn}->dbh();
   # Else the first queries after the swap would be planned for an empty table.
   $dbh->selectall_arrayref("ANALYZE TABLE $self->{copy}");
   my $mark = $self->{quoter}->quote($self->{db}, $ENV{ZDO_MARK});
   $dbh->do("CREATE TABLE $mark (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB");
   print "zdo: copied\n";
}

1;
